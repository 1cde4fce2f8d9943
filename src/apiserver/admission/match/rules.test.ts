import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resources } from '../../../api/index.ts'
import { isExempt, matchedVersion, ruleMatches } from './rules.ts'

const rule = (resource: string, more: object = {}) => ({
  operations: ['CREATE'],
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  resources: [resource],
  ...more,
})

const deployments = resources.deployments as never

/** A rule, the subresource and the operation of a request for Deployments, and whether they fit. */
const cases: [string, ReturnType<typeof rule>, string, 'CREATE' | 'DELETE', boolean][] = [
  ['the resource itself', rule('deployments'), '', 'CREATE', true],
  ['another operation', rule('deployments'), '', 'DELETE', false],
  ['any operation', rule('deployments', { operations: ['*'] }), '', 'DELETE', true],
  ['another resource', rule('pods'), '', 'CREATE', false],
  ['another group', rule('deployments', { apiGroups: ['batch'] }), '', 'CREATE', false],
  ['any group and version', rule('deployments', { apiGroups: ['*'], apiVersions: ['*'] }), '', 'CREATE', true],
  ['any resource', rule('*'), '', 'CREATE', true],
  ['any resource, which is no subresource', rule('*'), 'scale', 'CREATE', false],
  ['anything at all', rule('*/*'), 'scale', 'CREATE', true],
  ['anything at all, with none', rule('*/*'), '', 'CREATE', true],
  ['a subresource of any', rule('*/scale'), 'scale', 'CREATE', true],
  ['all of one resource', rule('deployments/*'), 'status', 'CREATE', true],
  ['one subresource', rule('deployments/scale'), 'status', 'CREATE', false],
  ['what is in a namespace', rule('*', { scope: 'Namespaced' }), '', 'CREATE', true],
  ['what is in none', rule('*', { scope: 'Cluster' }), '', 'CREATE', false],
]

describe('rules', () => {
  for (const [what, given, subresource, operation, expected] of cases)
    it(`${expected ? 'take' : 'leave'} a request when they name ${what}`, () => {
      assert.equal(ruleMatches(given, deployments, subresource, operation), expected)
    })

  it('take another version of the same resource, unless they are exact', () => {
    const old = resources.horizontalPodAutoscalersV1 as never
    const present = resources.horizontalPodAutoscalers as never
    const rules = [rule('horizontalpodautoscalers', { apiGroups: ['autoscaling'] })]
    const request = { requested: present, resource: present, subresource: '', operation: 'CREATE' as const }
    assert.equal(
      matchedVersion(rules, 'Equivalent', request, () => [present, old]),
      old,
    )
    assert.equal(
      matchedVersion(rules, 'Exact', request, () => [present, old]),
      undefined,
    )
    assert.equal(
      matchedVersion(rules, 'Equivalent', { ...request, requested: old }, () => []),
      old,
    )
  })

  it('never take what admission is configured by', () => {
    assert.ok(isExempt(resources.validatingWebhookConfigurations as never))
    assert.ok(!isExempt(resources.deployments as never))
  })
})
