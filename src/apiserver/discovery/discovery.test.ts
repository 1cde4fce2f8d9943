import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allResources, type Resource, StatusError } from '../../api/index.ts'
import type { Context } from '../pipeline/context.ts'
import { byVersion } from './groups.ts'
import { createDiscovery } from './index.ts'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const KUBECTL = `${AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`

const discovery = createDiscovery({ resources: () => allResources, serverAddress: '10.0.0.1:6443' })

async function ask(path: string, headers: Record<string, string> = {}, served = discovery) {
  const context = { request: { method: 'GET', headers }, query: new URLSearchParams() } as unknown as Context
  const reply = (await served(path)!(context))!
  const body = reply.body.toString()
  return { ...reply, json: body ? JSON.parse(body) : undefined }
}

describe('discovery', () => {
  it('lists the core versions', async () => {
    assert.deepEqual((await ask('/api')).json, {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
    })
  })

  it('lists the groups in the order of upstream, preferred versions first', async () => {
    const { groups, ...rest } = (await ask('/apis')).json
    assert.deepEqual(rest, { kind: 'APIGroupList', apiVersion: 'v1' })
    const names = groups.map(({ name }: { name: string }) => name)
    assert.deepEqual(names.slice(0, 4), ['apiregistration.k8s.io', 'apps', 'events.k8s.io', 'authentication.k8s.io'])
    const autoscaling = groups.find(({ name }: { name: string }) => name === 'autoscaling')
    const [v2, v1] = ['v2', 'v1'].map(version => ({ groupVersion: `autoscaling/${version}`, version }))
    assert.deepEqual(autoscaling, { name: 'autoscaling', versions: [v2, v1], preferredVersion: v2 })
    assert.deepEqual((await ask('/apis/autoscaling/')).json, { kind: 'APIGroup', apiVersion: 'v1', ...autoscaling })
  })

  it('lists the resources of a group version', async () => {
    const { resources, ...rest } = (await ask('/apis/apps/v1')).json
    assert.deepEqual(rest, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'apps/v1' })
    const at = resources.findIndex(({ name }: { name: string }) => name === 'deployments')
    assert.deepEqual(resources.slice(at, at + 3), [
      {
        name: 'deployments',
        singularName: 'deployment',
        namespaced: true,
        kind: 'Deployment',
        verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
        shortNames: ['deploy'],
        categories: ['all'],
        storageVersionHash: '8aSe+NMegvE=',
      },
      {
        name: 'deployments/scale',
        singularName: '',
        namespaced: true,
        group: 'autoscaling',
        version: 'v1',
        kind: 'Scale',
        verbs: ['get', 'patch', 'update'],
      },
      {
        name: 'deployments/status',
        singularName: '',
        namespaced: true,
        kind: 'Deployment',
        verbs: ['get', 'patch', 'update'],
      },
    ])
    const core = (await ask('/api/v1')).json
    assert.equal(core.apiVersion, undefined)
    const hash = (name: string) =>
      core.resources.find((found: { name: string }) => found.name === name).storageVersionHash
    assert.deepEqual(['pods', 'events', 'bindings'].map(hash), ['xPOwRZ+Yhw8=', 'r2yiGXH7wu8=', undefined])
  })

  it('answers kubectl with everything in one document', async () => {
    const { json, type, headers } = await ask('/apis', { accept: KUBECTL })
    assert.equal(type, AGGREGATED)
    assert.equal(headers?.Vary, 'Accept')
    assert.deepEqual([json.kind, json.apiVersion], ['APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2'])
    const apps = json.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === 'apps')
    assert.equal(apps.versions[0].freshness, 'Current')
    assert.deepEqual(apps.versions[0].resources[2], {
      resource: 'deployments',
      responseKind: { group: '', version: '', kind: 'Deployment' },
      scope: 'Namespaced',
      singularResource: 'deployment',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['deploy'],
      categories: ['all'],
      subresources: [
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'status',
          responseKind: { group: '', version: '', kind: 'Deployment' },
          verbs: ['get', 'patch', 'update'],
        },
      ],
    })
    const core = (await ask('/api', { accept: KUBECTL })).json
    assert.deepEqual(
      core.items.map(({ metadata }: { metadata: object }) => metadata),
      [{}],
    )
  })

  it('sends what the client already has as 304', async () => {
    const { headers } = await ask('/apis', { accept: AGGREGATED })
    const again = await ask('/apis', { accept: AGGREGATED, 'if-none-match': headers!.ETag! })
    assert.deepEqual([again.status, again.body.length, again.headers?.ETag], [304, 0, headers!.ETag])
    assert.equal((await ask('/apis', { accept: AGGREGATED, 'if-none-match': '"other"' })).status, 200)
  })

  it('follows what is served', async () => {
    let resources: Resource[] = allResources
    const changing = createDiscovery({ resources: () => resources, serverAddress: '' })
    assert.equal(changing('/apis/example.com/v1'), undefined)
    const custom = {
      ...allResources.find(({ kind }) => kind === 'Deployment')!,
      group: 'example.com',
      resource: 'widgets',
    }
    resources = [...allResources, custom, { ...custom, version: 'v1beta1' }]
    const { groups } = (await ask('/apis', {}, changing)).json
    assert.equal(groups.at(-1).name, 'example.com')
    assert.deepEqual((await ask('/apis/example.com/v1', {}, changing)).json.resources[0].name, 'widgets')
  })

  it('refuses forms that it does not have', async () => {
    for (const accept of ['application/xml', 'application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList'])
      await assert.rejects(ask('/apis', { accept }), error => error instanceof StatusError && error.code === 406)
  })

  it('knows no other paths', () => {
    for (const path of ['/', '/apis/spam', '/apis/apps/v2', '/api/v1/pods', '/api/v2'])
      assert.equal(discovery(path), undefined)
  })
})

describe('byVersion', () => {
  it('sorts as upstream documents it', () => {
    const sorted = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10']
    assert.deepEqual([...sorted].reverse().sort(byVersion), sorted)
  })
})
