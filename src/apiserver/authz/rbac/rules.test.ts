import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { question } from '../authorizer.ts'
import { rule, urls } from '../policy/notation.ts'
import { compacted, describeRule, missingRules, RuleSet } from './rules.ts'

const user = { name: 'bob', groups: [] }

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
describe('rules', () => {
  it('are about verbs, groups, resources, subresources and names', () => {
    const set = new RuleSet([
      rule('get list', 'core', 'pods pods/log'),
      rule('get', 'core', 'secrets', 'one two'),
      rule('*', 'apps', '*/scale'),
      rule('list', '*', 'leases'),
      rule('delete', 'batch', '*'),
    ])
    const cases: [verb: string, group: string, resource: string, name: string, allowed: boolean][] = [
      ['get', '', 'pods', 'x', true],
      ['get', '', 'pods/log', 'x', true],
      ['get', '', 'pods/status', 'x', false],
      ['watch', '', 'pods', '', false],
      ['get', 'apps', 'pods', 'x', false],
      ['get', '', 'secrets', 'two', true],
      ['get', '', 'secrets', 'three', false],
      ['list', '', 'secrets', '', false],
      ['patch', 'apps', 'deployments/scale', 'x', true],
      ['patch', 'apps', 'deployments', 'x', false],
      ['patch', 'apps', 'deployments/status', 'x', false],
      ['list', 'any.example.com', 'leases', '', true],
      ['delete', 'batch', 'jobs', 'x', true],
      ['delete', 'batch', 'jobs/status', 'x', true],
    ]
    for (const [verb, group, path, name, allowed] of cases) {
      const [resource = '', subresource = ''] = path.split('/')
      const asked = question({ user, verb, group, resource, subresource, name })
      assert.equal(set.allows(asked), allowed, `${verb} ${group} ${path} ${name}`)
    }
  })

  it('are about paths, of which those that end in a star stand for many', () => {
    const set = new RuleSet([urls('get', '/metrics /api/*'), rule('*', '*', '*')])
    for (const [path, allowed] of [
      ['/metrics', true],
      ['/metrics/', false],
      ['/api/', true],
      ['/api/v1', true],
      ['/api', false],
      ['/logs', false],
    ] as const)
      assert.equal(set.allows({ ...question({ user, verb: 'get' }), isResourceRequest: false, path }), allowed, path)
    const all = new RuleSet([urls('*', '*')])
    assert.ok(all.allows({ ...question({ user, verb: 'post' }), isResourceRequest: false, path: '/x' }))
  })

  it('are within others, or tell what is missing', () => {
    const held = [rule('get list', 'core', 'pods */status'), rule('get', 'core', 'secrets', 'one'), urls('get', '/m/*')]
    const cases: [wanted: ReturnType<typeof rule>, missing: string[]][] = [
      [rule('get', 'core', 'pods'), []],
      [rule('get', 'core', 'pods', 'a b'), []],
      [rule('list', 'core', 'services/status'), []],
      [rule('get', 'core', 'secrets', 'one'), []],
      [urls('get', '/m/x /m/*'), []],
      [rule('get', 'core', 'secrets'), ['{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}']],
      [
        rule('get', 'core', 'secrets', 'one two'),
        ['{APIGroups:[""], Resources:["secrets"], ResourceNames:["two"], Verbs:["get"]}'],
      ],
      [
        rule('get delete create', 'core apps', 'pods'),
        [
          '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}',
          '{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "delete" "create"]}',
        ],
      ],
      [rule('*', '*', '*'), ['{APIGroups:["*"], Resources:["*"], Verbs:["*"]}']],
      [urls('post', '/m/x'), ['{NonResourceURLs:["/m/x"], Verbs:["post"]}']],
    ]
    for (const [wanted, missing] of cases)
      assert.deepEqual(compacted(missingRules(held, [wanted])).map(describeRule), missing)
  })
})
