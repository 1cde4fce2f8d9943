import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { type Call, caller, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'
import { adminKubeconfig, tryKubectl } from '../support/kubectl.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1'
const KINDS = { validating: 'ValidatingAdmissionPolicy', mutating: 'MutatingAdmissionPolicy' }

const ofMaps = {
  resourceRules: [
    { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
  ],
}

describe('admission policies', () => {
  let server: TestApiServer
  let call: Call
  let made = 0

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
  })
  after(() => server.stop())
  afterEach(async () => {
    for (const kind of Object.keys(KINDS))
      for (const resource of ['policies', 'policybindings'])
        await call('DELETE', `${REGISTRATION}/${kind}admission${resource}`)
    await call('DELETE', `${MAPS}`)
  })

  const create = (data: object, more: object = {}) =>
    call('POST', MAPS, { body: { metadata: { name: `map-${++made}`, ...more }, data } })

  async function post(kind: keyof typeof KINDS, what: 'policies' | 'policybindings', name: string, spec: object) {
    const answer = await call('POST', `${REGISTRATION}/${kind}admission${what}`, { body: { metadata: { name }, spec } })
    assert.equal(answer.status, 201, answer.text)
  }

  async function validating(spec: object, binding: object = {}): Promise<void> {
    await post('validating', 'policies', 'p.test.dev', { matchConstraints: ofMaps, ...spec })
    await post('validating', 'policybindings', 'b.test.dev', {
      policyName: 'p.test.dev',
      validationActions: ['Deny'],
      ...binding,
    })
  }

  async function mutating(spec: object, binding: object = {}, name = 'm'): Promise<void> {
    await post('mutating', 'policies', `${name}.test.dev`, {
      matchConstraints: ofMaps,
      reinvocationPolicy: 'Never',
      ...spec,
    })
    await post('mutating', 'policybindings', `${name}b.test.dev`, { policyName: `${name}.test.dev`, ...binding })
  }

  it('refuses what an expression refuses', async () => {
    await validating({ validations: [{ expression: 'object.data.size() < 2' }] })
    assert.equal((await create({ a: '1' })).status, 201)
    const { status, json } = await create({ a: '1', b: '2' })
    assert.equal(status, 422)
    assert.equal(json.reason, 'Invalid')
    const denied =
      "ValidatingAdmissionPolicy 'p.test.dev' with binding 'b.test.dev' denied request: failed expression: object.data.size() < 2"
    assert.equal(json.message, `configmaps "map-${made}" is forbidden: ${denied}`)
    assert.deepEqual(json.details.causes, [{ message: denied }])
    const { kubeconfig, remove } = await adminKubeconfig(server)
    const { stderr } = await tryKubectl({ kubeconfig }, [
      'create',
      'configmap',
      'x',
      '--from-literal=a=1',
      '--from-literal=b=2',
    ])
    await remove()
    assert.match(stderr, /ValidatingAdmissionPolicy 'p\.test\.dev' with binding 'b\.test\.dev' denied request: failed/)
  })

  it('says it in the words of the policy, with its reason', async () => {
    await validating({
      variables: [{ name: 'count', expression: 'size(object.data)' }],
      validations: [
        {
          expression: 'variables.count < 2',
          messageExpression: '"has " + string(variables.count)',
          reason: 'Forbidden',
        },
      ],
    })
    const { status, json } = await create({ a: '1', b: '2' })
    assert.equal(status, 403)
    assert.match(json.message, /denied request: has 2$/)
  })

  it('sees who asks, the namespace, what was before, and what they may', async () => {
    await validating({
      validations: [
        { expression: 'request.userInfo.username == "kubernetes-admin"', message: 'who' },
        {
          expression: 'namespaceObject.metadata.name == "default" && request.namespace == "default"',
          message: 'where',
        },
        { expression: 'request.operation == "CREATE" || oldObject.data == object.data', message: 'before' },
        {
          expression: 'authorizer.group("").resource("secrets").namespace("x").check("get").allowed()',
          message: 'may',
        },
        { expression: 'authorizer.requestResource.check("delete").allowed()', message: 'may this' },
        {
          expression:
            '!authorizer.serviceAccount("default", "poor").group("").resource("secrets").check("get").allowed()',
          message: 'may not',
        },
      ],
    })
    const { status, json } = await create({ a: '1' })
    assert.equal(status, 201, json.message)
    const changed = await call('PATCH', `${MAPS}/${json.metadata.name}`, {
      body: { data: { a: '2' } },
      type: 'application/merge-patch+json',
    })
    assert.match(changed.json.message, /denied request: before$/)
  })

  it('warns when that is all it is to do', async () => {
    await validating(
      { validations: [{ expression: 'false', message: 'never' }] },
      { validationActions: ['Warn', 'Audit'] },
    )
    const { status, headers } = await create({})
    assert.equal(status, 201)
    assert.equal(
      headers.warning,
      "299 - \"Validation failed for ValidatingAdmissionPolicy 'p.test.dev' with binding 'b.test.dev': never\"",
    )
  })

  it('goes by match conditions, selectors and rules', async () => {
    await validating(
      {
        matchConditions: [{ name: 'not-exempt', expression: '!("exempt" in object.metadata.?labels.orValue({}))' }],
        matchConstraints: {
          ...ofMaps,
          excludeResourceRules: [{ ...ofMaps.resourceRules[0], resourceNames: ['allowed'] }],
        },
        validations: [{ expression: 'false' }],
      },
      { matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } } },
    )
    assert.equal((await create({})).status, 422)
    assert.equal((await create({}, { labels: { exempt: '' } })).status, 201)
    assert.equal((await create({}, { name: 'allowed' })).status, 201)
    const elsewhere = await call('POST', '/api/v1/namespaces/kube-public/configmaps', {
      body: { metadata: { name: 'x' } },
    })
    assert.equal(elsewhere.status, 201)
  })

  it('sees a custom resource in the version that it asks for', async () => {
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
      },
    }
    const definition = {
      metadata: { name: 'widgets.policy.test.dev' },
      spec: {
        group: 'policy.test.dev',
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [
          { name: 'v1', served: true, storage: true, schema },
          { name: 'v2', served: true, storage: false, schema },
        ],
      },
    }
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: definition })
    await validating({
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['policy.test.dev'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['widgets'] },
        ],
      },
      validations: [{ expression: 'object.spec.size < 5', messageExpression: 'string(object.apiVersion)' }],
    })
    const path = '/apis/policy.test.dev/v2/namespaces/default/widgets'
    const body = { apiVersion: 'policy.test.dev/v2', kind: 'Widget', metadata: { name: 'w' }, spec: { size: 9 } }
    await eventually(async () => {
      const { status, json } = await call('POST', path, { body })
      assert.equal(status, 422, json.message)
      assert.match(json.message, /denied request: policy\.test\.dev\/v1$/)
    })
    assert.equal((await call('POST', path, { body: { ...body, spec: { size: 1 } } })).status, 201)
  })

  it('fails or goes on, as its policy says, when an expression cannot be evaluated', async () => {
    const validations = [{ expression: 'object.data.missing == "x"' }]
    await validating({ validations })
    assert.match(
      (await create({ a: '1' })).json.message,
      /denied request: expression 'object\.data\.missing == "x"' resulted in error: no such key: missing$/,
    )
    await call('PATCH', `${REGISTRATION}/validatingadmissionpolicies/p.test.dev`, {
      body: { spec: { failurePolicy: 'Ignore' } },
      type: 'application/merge-patch+json',
    })
    assert.equal((await create({ a: '1' })).status, 201)
  })

  it('takes parameters, each in turn', async () => {
    await create({ most: '1' }, { name: 'limit', labels: { limits: 'yes' } })
    await validating(
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        validations: [{ expression: 'size(object.data) <= int(params.data.most)' }],
      },
      { paramRef: { name: 'limit', namespace: 'default', parameterNotFoundAction: 'Deny' } },
    )
    assert.equal((await create({ a: '1' })).status, 201)
    assert.equal((await create({ a: '1', b: '2' })).status, 422)
    await call('DELETE', `${MAPS}/limit`)
    const { json } = await create({ a: '1' })
    assert.match(
      json.message,
      /failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
    )
  })

  const faults: [string, object, RegExp][] = [
    [
      'that does not parse',
      { validations: [{ expression: 'object.' }] },
      /spec\.validations\[0\]\.expression: Invalid value: "object\.": compilation failed: ERROR: <input>:1:8: Syntax error/,
    ],
    [
      'of what is not there',
      { validations: [{ expression: 'params.x' }] },
      /compilation failed: ERROR: <input>:1:1: undeclared reference to 'params'/,
    ],
    [
      'that says neither yes nor no',
      { validations: [{ expression: 'size(object.data)' }] },
      /spec\.validations\[0\]\.expression: Invalid value: "size\(object\.data\)": must evaluate to bool but got int$/,
    ],
  ]
  for (const [what, spec, message] of faults)
    it(`does not take an expression ${what}`, async () => {
      const body = { metadata: { name: 'p.test.dev' }, spec: { matchConstraints: ofMaps, ...spec } }
      const { status, json } = await call('POST', `${REGISTRATION}/validatingadmissionpolicies`, { body })
      assert.equal(status, 422)
      assert.match(json.message, message)
    })

  it('changes what an apply configuration says', async () => {
    await mutating({
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression: 'Object{metadata: Object.metadata{labels: {"made": "yes"}}, data: {"b": object.data.a + "!"}}',
          },
        },
      ],
    })
    const { json } = await create({ a: '1' }, { labels: { own: 'kept' } })
    assert.deepEqual(json.metadata.labels, { own: 'kept', made: 'yes' })
    assert.deepEqual(json.data, { a: '1', b: '1!' })
  })

  it('adds a container to a pod by its name', async () => {
    await mutating({
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] },
        ],
      },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression: `Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
              initContainers: [Object.spec.template.spec.initContainers{name: "mesh", image: "proxy", restartPolicy: "Always"}]
            }}}}`,
          },
        },
      ],
    })
    const { json, status } = await call('POST', '/apis/apps/v1/namespaces/default/deployments', {
      body: {
        metadata: { name: 'meshed' },
        spec: {
          selector: { matchLabels: { app: 'a' } },
          template: {
            metadata: { labels: { app: 'a' } },
            spec: { initContainers: [{ name: 'first', image: 'i' }], containers: [{ name: 'c', image: 'i' }] },
          },
        },
      },
    })
    assert.equal(status, 201, json.message)
    const { initContainers } = json.spec.template.spec
    assert.deepEqual(
      initContainers.map(({ name }: { name: string }) => name),
      ['first', 'mesh'],
    )
    assert.equal(initContainers[1].imagePullPolicy, 'Always')
  })

  it('changes what a JSON patch says, and again when others have changed it', async () => {
    await mutating({
      reinvocationPolicy: 'IfNeeded',
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression:
              '[JSONPatch{op: "add", path: "/data/" + jsonpatch.escapeKey("count"), value: string(size(object.data.filter(k, k != "count")))}]',
          },
        },
      ],
    })
    await mutating(
      {
        mutations: [
          {
            patchType: 'JSONPatch',
            jsonPatch: { expression: '[JSONPatch{op: "add", path: "/data/late", value: "x"}]' },
          },
        ],
      },
      {},
      'z',
    )
    const { json } = await create({ a: '1' })
    assert.deepEqual(json.data, { a: '1', count: '2', late: 'x' })
  })

  it('refuses when a change cannot be made', async () => {
    await mutating({
      mutations: [
        { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/data/none"}]' } },
      ],
    })
    const { status, json } = await create({ a: '1' })
    assert.equal(status, 403)
    assert.match(json.message, /policy 'm\.test\.dev' with binding 'mb\.test\.dev' denied request: /)
  })
})
