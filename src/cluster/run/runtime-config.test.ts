import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../api/index.ts'
import { servesOf } from './runtime-config.ts'

const { deployments, daemonSets, pods, apiServices, horizontalPodAutoscalersV1 } = resources

test('says which versions and resources are served', () => {
  const cases: [Record<string, string>, object[], object[]][] = [
    [{ 'apps/v1': 'false' }, [pods], [deployments, daemonSets]],
    [{ 'apps/v1/daemonsets': 'false' }, [deployments], [daemonSets]],
    [{ 'api/all': 'false' }, [pods, apiServices], [deployments, daemonSets]],
    [{ 'api/all': 'false', 'apps/v1': 'true' }, [deployments], [horizontalPodAutoscalersV1]],
    [{ 'api/beta': 'false' }, [pods, deployments], []],
    [{ 'autoscaling/v1': 'false' }, [deployments], [horizontalPodAutoscalersV1]],
  ]
  for (const [config, served, left] of cases) {
    const serves = servesOf(config)!
    for (const resource of served) assert.equal(serves(resource as typeof pods), true, JSON.stringify(config))
    for (const resource of left) assert.equal(serves(resource as typeof pods), false, JSON.stringify(config))
  }
  assert.equal(servesOf(undefined), undefined)
})
