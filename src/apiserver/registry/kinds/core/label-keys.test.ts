import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '../../../../api/index.ts'
import { mergeLabelKeys } from './label-keys.ts'

test('what the labels of a pod are is added to its selectors, for the keys that it has', () => {
  const term = (rest: object) => ({ topologyKey: 'zone', labelSelector: {}, ...rest })
  const pod = {
    metadata: { labels: { app: 'a', hash: 'h' } },
    spec: {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            term({ matchLabelKeys: ['hash', 'none'], mismatchLabelKeys: ['app'] }),
            term({ labelSelector: undefined, matchLabelKeys: ['hash'] }),
          ],
        },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: term({ mismatchLabelKeys: ['hash'] }) },
          ],
        },
      },
      topologySpreadConstraints: [term({ matchLabelKeys: ['hash'] })],
    },
  } as unknown as core.Pod
  mergeLabelKeys(pod)
  const [hash, otherApp, otherHash] = [
    { key: 'hash', operator: 'In', values: ['h'] },
    { key: 'app', operator: 'NotIn', values: ['a'] },
    { key: 'hash', operator: 'NotIn', values: ['h'] },
  ]
  const { affinity, topologySpreadConstraints: spread } = pod.spec
  const near = affinity!.podAffinity!.requiredDuringSchedulingIgnoredDuringExecution!
  const apart = affinity!.podAntiAffinity!.preferredDuringSchedulingIgnoredDuringExecution!
  assert.deepEqual(near[0]!.labelSelector, { matchExpressions: [hash, otherApp] })
  assert.equal(near[1]!.labelSelector, undefined)
  assert.deepEqual(apart[0]!.podAffinityTerm.labelSelector, { matchExpressions: [otherHash] })
  assert.deepEqual(spread![0]!.labelSelector, { matchExpressions: [hash] })
})
