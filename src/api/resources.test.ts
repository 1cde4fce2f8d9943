import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { allResources, findResource, model, resources } from './index.ts'

test('every resource has its type in the model, and no two share a path', () => {
  const paths = new Set(allResources.map(({ group, version, resource }) => `${group}/${version}/${resource}`))
  assert.equal(paths.size, allResources.length)
  for (const { type } of allResources) assert.ok(model.type(type).fields.length > 0, type)
})

test('resources are found by their path', () => {
  assert.equal(findResource('', 'v1', 'pods'), resources.pods)
  assert.equal(findResource('apps', 'v1', 'deployments'), resources.deployments)
  assert.equal(findResource('apps', 'v1beta1', 'deployments'), undefined)
})

test('discovery facts', () => {
  assert.deepEqual(resources.pods.shortNames, ['po'])
  assert.equal(resources.endpoints.singular, 'endpoints')
  assert.ok(!resources.namespaces.verbs.includes('deletecollection'))
  const scale = resources.deployments.subresources.find(({ name }) => name === 'scale')
  assert.deepEqual([scale?.group, scale?.version, scale?.kind], ['autoscaling', 'v1', 'Scale'])
  assert.equal(resources.pods.subresources.find(({ name }) => name === 'status')?.kind, 'Pod')
})

test('the model resolves what the file says', () => {
  const container = model.type('core/v1.Container')
  assert.equal(container.field('ports')?.patchMergeKey, 'containerPort')
  assert.equal(container.field('imagePullPolicy')?.enum?.length, 3)
  assert.equal(container.field('ports')?.goType, '[]v1.ContainerPort')
  assert.equal(model.type('core/v1.ResourceRequirements').field('limits')?.items?.kind, 'quantity')
  assert.equal(model.type('core/v1.ResourceRequirements').field('limits')?.goType, 'v1.ResourceList')
  const probe = model.type('core/v1.Probe')
  assert.deepEqual(probe.field('httpGet')?.within, [1])
  assert.equal(model.type('core/v1.AzureDiskVolumeSource').field('cachingMode')?.default, 'ReadWrite')
  assert.throws(() => model.type('core/v1.Nothing'))
})

test('every type of the model resolves', () => {
  const file: { types: object } = JSON.parse(readFileSync(new URL('./model.json', import.meta.url), 'utf8'))
  for (const name of Object.keys(file.types)) assert.ok(model.type(name).fields.length >= 0, name)
})
