import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { type Answer, type Call, caller, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'

/** What upstream's API server answers where policies say no, or cannot say anything. */

const MAPS = '/api/v1/namespaces/default/configmaps'
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1'
const paramKind = { apiVersion: 'v1', kind: 'Secret' }
const named = (name: string) => ({ paramRef: { name, parameterNotFoundAction: 'Deny' } })

interface Case {
  spec: object
  binding?: object
  /** Of a create that is refused; else it is let through. */
  message?: string
  /** Default: 422 for what validates, 403 for what mutates. */
  code?: number
  warnings?: string[]
}

const check = (expression: string, more: object = {}) => ({ validations: [{ expression, ...more }] })
const denied = (why: string) =>
  `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${why}`
const warned = (why: string) => `Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': ${why}`
const WARN = { validationActions: ['Warn'] }
const MISSING = 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction'
const failing = "expression 'object.none == 1' resulted in error: no such key: none"

const validating: Record<string, Case> = {
  'an expression': { spec: check('1 == 1 &&\n  false'), message: denied('failed expression: 1 == 1 &&\n  false') },
  'a message': { spec: check('false', { message: '  no way  ' }), message: denied('no way') },
  'a reason': {
    spec: check('false', { reason: 'RequestEntityTooLarge' }),
    message: denied('failed expression: false'),
    code: 413,
  },
  'a message that is made': {
    spec: check('false', { message: 'static', messageExpression: '"made of " + object.metadata.name' }),
    message: denied('made of a'),
  },
  'a message that cannot be made': {
    spec: check('false', { message: 'static', messageExpression: '"made of " + object.none' }),
    message: denied('static'),
  },
  'a message of two lines': {
    spec: check('false', { messageExpression: '"a\\nb"' }),
    message: denied('failed expression: false'),
  },
  'an expression that fails': { spec: check('object.none == 1'), message: denied(failing) },
  'an expression that fails, and may': { spec: { ...check('object.none == 1'), failurePolicy: 'Ignore' } },
  'what was there before a create': {
    spec: check('oldObject.data.a == "1"'),
    message: denied(`expression 'oldObject.data.a == "1"' resulted in error: no such key: data`),
  },
  'a warning': { spec: check('object.none == 1'), binding: WARN, warnings: [warned(failing)] },
  'a condition that fails': {
    spec: { ...check('false'), matchConditions: [{ name: 'x', expression: 'object.none == 1' }] },
    message: denied(failing),
  },
  'a condition about the namespace': {
    spec: { ...check('false'), matchConditions: [{ name: 'x', expression: 'namespaceObject != null' }] },
  },
  'a variable that fails': {
    spec: { ...check('variables.x == 1'), variables: [{ name: 'x', expression: 'object.none' }] },
    message: denied(
      `expression 'variables.x == 1' resulted in error: composited variable "x" fails to evaluate: no such key: none`,
    ),
  },
  'parameters that are missing': {
    spec: { ...check('false'), paramKind },
    binding: named('none'),
    message: denied(MISSING),
  },
  'parameters that are missing where it only warns': {
    spec: { ...check('false'), paramKind },
    binding: { ...named('none'), ...WARN },
    message: denied(MISSING),
  },
  'parameters of no known kind': {
    spec: { ...check('false'), paramKind: { apiVersion: 'v1', kind: 'Nope' } },
    binding: named('none'),
    message:
      "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: '/v1, Kind=Nope'",
  },
  'a namespace for what is in none': {
    spec: { ...check('false'), paramKind: { apiVersion: 'v1', kind: 'Namespace' } },
    binding: { paramRef: { name: 'default', namespace: 'default', parameterNotFoundAction: 'Deny' } },
    message: denied(
      'failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    ),
  },
  'an annotation that fails where it only warns': {
    spec: { auditAnnotations: [{ key: 'k', valueExpression: '"v" + object.none' }] },
    binding: WARN,
    message: denied(`expression '"v" + object.none' resulted in error: no such key: none`),
  },
  'a path of nothing': {
    spec: check('authorizer.path("").check("get").allowed()'),
    message: denied(
      `expression 'authorizer.path("").check("get").allowed()' resulted in error: path must not be empty`,
    ),
  },
}

const apply = (expression: string) => ({
  mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
})
const patch = (expression: string) => ({ mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }] })
const unmade = (why: string) => `policy 'p' with binding 'b' denied request: ${why}`

const mutating: Record<string, Case> = {
  'an expression that fails': {
    spec: apply('Object{data: {"x": object.none}}'),
    message: unmade(`expression 'Object{data: {"x": object.none}}' resulted in error: no such key: none`),
  },
  'a part that is named wrongly': {
    spec: apply('Object{metadata: Object.spec{labels: {"l": "m"}}}'),
    message: unmade(
      'type mismatch: unexpected type name "Object.spec", expected "Object.metadata", which matches field name path from root Object type',
    ),
  },
  'a field that is not there': {
    spec: apply('Object{foo: "bar"}'),
    message: unmade(
      'error applying patch: failed to convert patch object to typed object: .foo: field not declared in schema',
    ),
  },
  'a value of another type': {
    spec: apply('Object{data: {"n": 5}}'),
    message: unmade(
      'error applying patch: failed to convert patch object to typed object: .data.n: expected string, got &value.valueUnstructured{Value:5}',
    ),
  },
  'a whole list': {
    spec: apply('Object{metadata: Object.metadata{managedFields: []}}'),
    message: unmade(
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .metadata.managedFields',
    ),
  },
  'a test that fails': { spec: patch('[JSONPatch{op: "test", path: "/data/a", value: "no"}]') },
  'a key that is missing': {
    spec: patch('[JSONPatch{op: "remove", path: "/data/none"}]'),
    message: unmade(
      "JSON Patch: error in remove for path: '/data/none': Unable to remove nonexistent key: none: missing value",
    ),
  },
  'a field that is unknown': {
    spec: patch('[JSONPatch{op: "add", path: "/foo", value: "x"}]'),
    message: 'Internal error occurred: strict decoding error: unknown field "foo"',
    code: 500,
  },
  'parameters that are missing': {
    spec: { ...patch('[JSONPatch{op: "remove", path: "/data/a"}]'), paramKind },
    binding: named('none'),
    message: unmade(MISSING),
  },
}

describe('what policies answer', () => {
  let server: TestApiServer
  let call: Call

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
  })
  after(() => server.stop())
  afterEach(async () => {
    for (const kind of ['validating', 'mutating'])
      for (const resource of ['policies', 'policybindings'])
        await call('DELETE', `${REGISTRATION}/${kind}admission${resource}`)
  })

  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }]

  async function register(kind: string, { spec, binding }: Case, more: object = {}): Promise<void> {
    const policy = { metadata: { name: 'p' }, spec: { matchConstraints: { resourceRules: rules }, ...spec } }
    const bound = { metadata: { name: 'b' }, spec: { policyName: 'p', ...more, ...binding } }
    for (const [what, body] of [['policies', policy] as const, ['policybindings', bound] as const]) {
      const { status, text } = await call('POST', `${REGISTRATION}/${kind}admission${what}`, { body })
      assert.equal(status, 201, text)
    }
  }

  const create = () => call('POST', `${MAPS}?dryRun=All`, { body: { metadata: { name: 'a' }, data: { a: '1' } } })

  function judge({ status, json, headers }: Answer, { message, code, warnings = [] }: Case, usual: number): void {
    assert.equal(message === undefined ? undefined : json.message, message)
    assert.equal(status, message === undefined ? 201 : (code ?? usual))
    assert.deepEqual(String(headers.warning ?? ''), warnings.map(text => `299 - "${text}"`).join(', '))
  }

  for (const [what, given] of Object.entries(validating))
    it(`validating: ${what}`, async () => {
      await register('validating', given, { validationActions: ['Deny'] })
      judge(await create(), given, 422)
    })

  for (const [what, given] of Object.entries(mutating))
    it(`mutating: ${what}`, async () => {
      await register('mutating', { ...given, spec: { reinvocationPolicy: 'Never', ...given.spec } })
      judge(await create(), given, 403)
    })

  it('lets nobody write a policy who may not read its parameters', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'policies' }
    const apiGroups = ['admissionregistration.k8s.io']
    await call('POST', `${rbac}/clusterroles`, {
      body: { metadata: { name: 'policies' }, rules: [{ apiGroups, resources: ['*'], verbs: ['*'] }] },
    })
    await call('POST', `${rbac}/clusterrolebindings`, {
      body: {
        metadata: { name: 'policies' },
        roleRef,
        subjects: [{ kind: 'User', name: 'jane', apiGroup: roleRef.apiGroup }],
      },
    })
    const headers = { 'Impersonate-User': 'jane' }
    const spec = { matchConstraints: { resourceRules: rules }, ...check('true'), paramKind }
    const body = { metadata: { name: 'p' }, spec }
    const resource = `${REGISTRATION}/validatingadmissionpolicies`
    await eventually(async () => {
      const { json } = await call('POST', resource, { body, headers })
      assert.equal(
        json.message,
        'ValidatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: spec.paramKind: Forbidden: user &{jane  [system:authenticated] map[]} must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)',
      )
    })
    const { status } = await call('POST', resource, {
      body: { ...body, spec: { ...spec, paramKind: undefined } },
      headers,
    })
    assert.equal(status, 201)
  })

  it('tells in the status what the types of the objects say', async () => {
    const resourceRules = [{ ...rules[0], apiGroups: ['apps', ''], resources: ['deployments', 'configmaps'] }]
    const spec = { matchConstraints: { resourceRules }, ...check('object.spec.replicas > 1') }
    await call('POST', `${REGISTRATION}/validatingadmissionpolicies`, { body: { metadata: { name: 'p' }, spec } })
    await eventually(async () => {
      const { json } = await call('GET', `${REGISTRATION}/validatingadmissionpolicies/p`)
      assert.deepEqual(json.status, {
        observedGeneration: 1,
        typeChecking: {
          expressionWarnings: [
            {
              fieldRef: 'spec.validations[0].expression',
              warning:
                "/v1, Kind=ConfigMap: ERROR: <input>:1:7: undefined field 'spec'\n | object.spec.replicas > 1\n | ......^\n",
            },
          ],
        },
      })
    })
  })
})
