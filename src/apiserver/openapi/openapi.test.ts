import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { allResources, type Resource, StatusError } from '../../api/index.ts'
import { VirtualClock } from '../../base/index.ts'
import type { Context } from '../pipeline/context.ts'
import type { OpenApiV3 } from './documents.ts'
import { createOpenApi } from './index.ts'
import type { Operation } from './operations.ts'
import type { Schema } from './schema.ts'

const DESCRIPTIONS = {
  'apps/v1.Deployment': { '': 'What it is.', spec: 'What it shall be.' },
  'core/v1.Container': { image: 'Which image.' },
}
const openApi = createOpenApi({
  resources: () => allResources,
  version: 'v1.36.0',
  clock: new VirtualClock(),
  descriptions: DESCRIPTIONS,
})

async function ask(url: string, headers: Record<string, string> = {}) {
  const { pathname, searchParams } = new URL(url, 'https://server')
  const context = { request: { headers }, query: searchParams } as unknown as Context
  return (await openApi(pathname)!(context))!
}

const read = async (url: string) => JSON.parse((await ask(url)).body.toString())
const apps: OpenApiV3 = await read('/openapi/v3/apis/apps/v1')
const core: OpenApiV3 = await read('/openapi/v3/api/v1')
const schema = (name: string, document = core): Schema => document.components.schemas[name]!
const field = (name: string, property: string) => schema(name).properties![property]!
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const operation = (document: OpenApiV3, path: string, method: string) =>
  (document.paths[path] as Record<string, Operation>)[method]!

describe('OpenAPI v3', () => {
  it('lists the documents by their hashes', async () => {
    const { paths } = await read('/openapi/v3')
    assert.equal(
      Object.keys(paths).length,
      new Set(allResources.map(({ group, version }) => `${group}/${version}`)).size,
    )
    const { serverRelativeURL } = paths['apis/apps/v1']
    assert.match(serverRelativeURL, /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/)
    const { status, headers } = await ask(serverRelativeURL)
    assert.equal(status, 200)
    assert.equal(headers?.['Cache-Control'], 'public, immutable')
    assert.equal(headers?.Expires, 'Fri, 01 Jan 2027 00:00:00 GMT')
    const moved = await ask('/openapi/v3/apis/apps/v1?hash=0')
    assert.deepEqual([moved.status, moved.headers?.Location], [301, serverRelativeURL])
  })

  it('is sent once to those who keep it', async () => {
    const { headers } = await ask('/openapi/v3/apis/apps/v1')
    const again = await ask('/openapi/v3/apis/apps/v1', { 'if-none-match': headers!.ETag! })
    assert.deepEqual([again.status, again.body.length], [304, 0])
  })

  it('describes kinds under the names of upstream', () => {
    assert.deepEqual(schema('io.k8s.api.apps.v1.Deployment', apps), {
      description: 'What it is.',
      type: 'object',
      properties: {
        kind: { type: 'string' },
        apiVersion: { type: 'string' },
        metadata: { default: {}, allOf: [ref('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')] },
        spec: { description: 'What it shall be.', default: {}, allOf: [ref('io.k8s.api.apps.v1.DeploymentSpec')] },
        status: { default: {}, allOf: [ref('io.k8s.api.apps.v1.DeploymentStatus')] },
      },
      'x-kubernetes-group-version-kind': [{ group: 'apps', kind: 'Deployment', version: 'v1' }],
    })
    assert.deepEqual(schema('io.k8s.api.core.v1.PodList')['x-kubernetes-group-version-kind'], [
      { group: '', kind: 'PodList', version: 'v1' },
    ])
    assert.ok(
      (schema('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions')['x-kubernetes-group-version-kind'] as []).length >
        10,
    )
  })

  it('describes fields as upstream does', () => {
    const container = 'io.k8s.api.core.v1.Container'
    assert.deepEqual(field(container, 'ports'), {
      type: 'array',
      items: { default: {}, allOf: [ref('io.k8s.api.core.v1.ContainerPort')] },
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-patch-merge-key': 'containerPort',
      'x-kubernetes-patch-strategy': 'merge',
    })
    assert.deepEqual(field(container, 'image'), { description: 'Which image.', type: 'string' })
    assert.deepEqual(field(container, 'command'), {
      type: 'array',
      items: { type: 'string', default: '' },
      'x-kubernetes-list-type': 'atomic',
    })
    assert.deepEqual(field(container, 'imagePullPolicy').enum, ['Always', 'IfNotPresent', 'Never'])
    assert.deepEqual(field('io.k8s.api.core.v1.ContainerPort', 'containerPort'), {
      default: 0,
      type: 'integer',
      format: 'int32',
    })
    assert.equal(field('io.k8s.api.core.v1.ContainerPort', 'protocol').default, 'TCP')
    assert.deepEqual(field('io.k8s.api.core.v1.ConfigMap', 'data'), {
      type: 'object',
      additionalProperties: { type: 'string', default: '' },
    })
    assert.deepEqual(field('io.k8s.api.core.v1.Secret', 'data').additionalProperties, {
      type: 'string',
      format: 'byte',
    })
    assert.deepEqual(
      field('io.k8s.api.core.v1.ResourceRequirements', 'limits').additionalProperties,
      ref('io.k8s.apimachinery.pkg.api.resource.Quantity'),
    )
    assert.deepEqual(schema(container).required, ['name'])
    assert.equal(schema('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector')['x-kubernetes-map-type'], 'atomic')
  })

  it('describes values that look in several ways', () => {
    assert.deepEqual(schema('io.k8s.apimachinery.pkg.api.resource.Quantity'), {
      oneOf: [{ type: 'string' }, { type: 'number' }],
    })
    assert.deepEqual(schema('io.k8s.apimachinery.pkg.util.intstr.IntOrString'), {
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
    })
    assert.deepEqual(schema('io.k8s.apimachinery.pkg.apis.meta.v1.Time'), { type: 'string', format: 'date-time' })
  })

  it('refers to nothing that it does not have', async () => {
    const { paths } = await read('/openapi/v3')
    for (const place of Object.keys(paths)) {
      const text = (await ask(`/openapi/v3/${place}`)).body.toString()
      const { schemas } = (JSON.parse(text) as OpenApiV3).components
      for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
        assert.ok(schemas[name!], `${place} has no ${name}`)
    }
  })

  it('names operations as upstream does', () => {
    const named: [OpenApiV3, string, string, string][] = [
      [core, '/api/v1/pods', 'get', 'listCoreV1PodForAllNamespaces'],
      [core, '/api/v1/namespaces/{namespace}/pods', 'delete', 'deleteCoreV1CollectionNamespacedPod'],
      [core, '/api/v1/namespaces/{namespace}/pods/{name}', 'put', 'replaceCoreV1NamespacedPod'],
      [core, '/api/v1/namespaces/{namespace}/pods/{name}/log', 'get', 'readCoreV1NamespacedPodLog'],
      [core, '/api/v1/namespaces/{namespace}/pods/{name}/binding', 'post', 'createCoreV1NamespacedPodBinding'],
      [core, '/api/v1/namespaces/{namespace}/pods/{name}/exec', 'post', 'connectCoreV1PostNamespacedPodExec'],
      [core, '/api/v1/nodes/{name}/proxy/{path}', 'get', 'connectCoreV1GetNodeProxyWithPath'],
      [core, '/api/v1/nodes/{name}', 'get', 'readCoreV1Node'],
      [
        apps,
        '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale',
        'patch',
        'patchAppsV1NamespacedDeploymentScale',
      ],
    ]
    for (const [document, path, method, id] of named) assert.equal(operation(document, path, method).operationId, id)
    assert.deepEqual(
      operation(core, '/api/v1/namespaces/{namespace}/pods/{name}/eviction', 'post')['x-kubernetes-group-version-kind'],
      {
        group: 'policy',
        version: 'v1',
        kind: 'Eviction',
      },
    )
  })

  it('names each operation once', async () => {
    for (const place of Object.keys((await read('/openapi/v3')).paths)) {
      const { paths }: OpenApiV3 = await read(`/openapi/v3/${place}`)
      const ids = Object.values(paths).flatMap(item =>
        Object.entries(item as Record<string, Operation>).flatMap(([method, { operationId }]) =>
          method === 'parameters' ? [] : [operationId],
        ),
      )
      assert.equal(new Set(ids).size, ids.length)
    }
  })

  it('has every path of the official clients', async () => {
    const { paths } = await read('/openapi/v2')
    for (const { group, version, resource, namespaced, verbs } of allResources as Resource[]) {
      if (!verbs.includes('get')) continue
      const root = group ? `/apis/${group}/${version}` : `/api/${version}`
      assert.ok(paths[`${root}/${namespaced ? 'namespaces/{namespace}/' : ''}${resource}/{name}`], resource)
    }
  })

  it('tells kubectl that the server validates fields', () => {
    for (const method of ['put', 'patch']) {
      const { parameters } = operation(apps, '/apis/apps/v1/namespaces/{namespace}/deployments/{name}', method)
      assert.ok(parameters!.some(({ name, in: place }) => name === 'fieldValidation' && place === 'query'))
    }
  })

  it('refuses forms that it does not have', async () => {
    await assert.rejects(
      ask('/openapi/v3', { accept: 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf' }),
      error => error instanceof StatusError && error.code === 406,
    )
    assert.equal((await openApi('/openapi/v3/apis/spam/v1')!({} as Context))!.status, 404)
    assert.equal(openApi('/apis'), undefined)
  })
})

describe('OpenAPI v2', () => {
  it('says the same in the older form', async () => {
    const { swagger, definitions, paths } = await read('/openapi/v2')
    assert.equal(swagger, '2.0')
    assert.deepEqual(definitions['io.k8s.api.apps.v1.Deployment'].properties.spec, {
      description: 'What it shall be.',
      $ref: '#/definitions/io.k8s.api.apps.v1.DeploymentSpec',
    })
    assert.deepEqual(definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString'], {
      type: 'string',
      format: 'int-or-string',
    })
    const { parameters, responses } = paths['/apis/apps/v1/namespaces/{namespace}/deployments'].post
    assert.deepEqual(parameters[0], {
      name: 'body',
      in: 'body',
      required: true,
      schema: { $ref: '#/definitions/io.k8s.api.apps.v1.Deployment' },
    })
    assert.deepEqual(responses[201].schema, { $ref: '#/definitions/io.k8s.api.apps.v1.Deployment' })
    assert.ok(!JSON.stringify({ definitions, paths }).includes('#/components/'))
  })

  it('comes in protobuf for those who would rather have that, under both of its names', async () => {
    const { headers } = await ask('/openapi/v2')
    for (const spelling of ['v2@v1.0', 'v2.v1.0']) {
      const accept = `application/com.github.proto-openapi.spec.${spelling}+protobuf`
      const { status, type, headers: given, body } = await ask('/openapi/v2', { accept })
      assert.equal(status, 200)
      assert.equal(type, 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
      assert.equal(given?.ETag, headers?.ETag)
      assert.deepEqual((body as Buffer).subarray(0, 5), Buffer.from('\n\x032.0'))
      assert.ok((body as Buffer).includes('io.k8s.api.apps.v1.Deployment'))
    }
    assert.equal((await ask('/openapi/v2', { accept: 'text/html, */*;q=0.1' })).type, undefined)
  })

  it('goes compressed to those who can take that', async () => {
    const { headers, body } = await ask('/openapi/v2', { 'accept-encoding': 'deflate, gzip' })
    assert.equal(headers?.['Content-Encoding'], 'gzip')
    assert.deepEqual(gunzipSync(body as Buffer), (await ask('/openapi/v2')).body)
  })
})
