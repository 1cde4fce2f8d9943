import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import {
  type Call,
  caller,
  makeServiceAccount,
  podNamed,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'
import { makeService, startWebhookServer, type WebhookServer } from '../support/webhook.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1'

const everything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }
const rule = (operations: string[], resources: string[], apiGroups = ['']) => ({
  operations,
  apiGroups,
  apiVersions: ['v1'],
  resources,
})
const maps = rule(['CREATE', 'UPDATE', 'DELETE'], ['configmaps'])

interface Named {
  kind: string
}

describe('admission webhooks', () => {
  let server: TestApiServer
  let call: Call
  let hook: WebhookServer
  let made = 0

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    hook = await startWebhookServer(await server.pki.server('hook.default.svc', 'localhost'))
    await makeService(call, 'hook', hook.port)
    await makeServiceAccount(call)
  })
  after(async () => {
    await hook.stop()
    await server.stop()
  })
  afterEach(async () => {
    await call('DELETE', `${CONFIGURATIONS}/mutatingwebhookconfigurations`)
    await call('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations`)
    hook.answer = () => ({ allowed: true })
    delete hook.raw
    hook.asked.length = 0
  })

  const caBundle = () => Buffer.from(server.ca).toString('base64')
  const service = (path = '/ask') => ({ service: { name: 'hook', namespace: 'default', path }, caBundle: caBundle() })

  /** Registers webhooks; each is `x.test.dev` unless it says otherwise. */
  async function register(kind: 'mutating' | 'validating', ...webhooks: object[]): Promise<string> {
    const name = `config-${String(++made).padStart(3, '0')}`
    const whole = webhooks.map(webhook => ({
      name: 'x.test.dev',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: service(),
      rules: [maps],
      ...webhook,
    }))
    const body = { metadata: { name }, webhooks: whole }
    const { status, text } = await call('POST', `${CONFIGURATIONS}/${kind}webhookconfigurations`, { body })
    assert.equal(status, 201, text)
    return name
  }

  const create = (body: object, query = '') => call('POST', MAPS + query, { body })
  const named = (data?: object) => ({ metadata: { name: `map-${++made}` }, ...(data ? { data } : {}) })

  it('asks about a create with all that is known of it', async () => {
    await register('validating', {})
    const map = named({ a: '1' })
    assert.equal((await create(map, '?fieldManager=tester&dryRun=All')).status, 201)
    const [{ review, path } = assert.fail()] = hook.asked
    assert.equal(path, '/ask')
    assert.match(review.uid, /^[0-9a-f-]{36}$/)
    assert.deepEqual(review.kind, { group: '', version: 'v1', kind: 'ConfigMap' })
    assert.deepEqual(review.resource, { group: '', version: 'v1', resource: 'configmaps' })
    assert.deepEqual(review.requestKind, review.kind)
    assert.deepEqual(review.requestResource, review.resource)
    assert.equal(review.operation, 'CREATE')
    assert.equal(review.name, map.metadata.name)
    assert.equal(review.namespace, 'default')
    assert.equal(review.dryRun, true)
    const { extra, ...userInfo } = review.userInfo
    assert.deepEqual(userInfo, { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] })
    assert.match(extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^X509SHA256=[0-9a-f]{64}$/)
    assert.equal(review.object.kind, 'ConfigMap')
    assert.deepEqual(review.object.data, { a: '1' })
    assert.ok(review.object.metadata.uid)
    assert.equal(review.oldObject, null)
    assert.deepEqual(review.options, {
      kind: 'CreateOptions',
      apiVersion: 'meta.k8s.io/v1',
      dryRun: ['All'],
      fieldManager: 'tester',
    })
  })

  it('asks about updates, patches and deletes, with the object before', async () => {
    const map = named({ a: '1' })
    const { name } = map.metadata
    await create(map)
    await register('validating', {})
    await call('PUT', `${MAPS}/${name}`, { body: { ...map, data: { a: '2' } } })
    await call('PATCH', `${MAPS}/${name}`, {
      body: { data: { b: '3' } },
      type: 'application/merge-patch+json',
    })
    await call('DELETE', `${MAPS}/${name}`, { body: { propagationPolicy: 'Background' } })
    assert.deepEqual(
      hook.asked.map(({ review }) => [review.operation, review.oldObject?.data, review.object?.data]),
      [
        ['UPDATE', { a: '1' }, { a: '2' }],
        ['UPDATE', { a: '2' }, { a: '2', b: '3' }],
        ['DELETE', { a: '2', b: '3' }, undefined],
      ],
    )
    assert.deepEqual(
      hook.asked.map(({ review }) => (review.options as { kind: string }).kind),
      ['UpdateOptions', 'UpdateOptions', 'DeleteOptions'],
    )
    assert.equal((hook.asked[2]!.review.options as { propagationPolicy: string }).propagationPolicy, 'Background')
  })

  it('refuses in the words of the webhook', async () => {
    await register('validating', {})
    hook.answer = () => ({ allowed: false, warnings: ['think twice'] })
    const bare = await create(named())
    assert.equal(bare.status, 400)
    assert.equal(bare.json.message, 'admission webhook "x.test.dev" denied the request without explanation')
    assert.equal(bare.headers.warning, '299 - "think twice"')
    hook.answer = () => ({
      allowed: false,
      status: { kind: 'Status', apiVersion: 'v1', metadata: {}, message: 'no maps', reason: 'Forbidden', code: 403 },
    })
    const { status, json } = await create(named())
    assert.equal(status, 403)
    assert.equal(json.message, 'admission webhook "x.test.dev" denied the request: no maps')
    assert.equal(json.reason, 'Forbidden')
  })

  it('applies patches in the order of names, and defaults what comes in', async () => {
    await register(
      'mutating',
      { clientConfig: service('/first') },
      { name: 'y.test.dev', clientConfig: service('/second') },
    )
    await register('mutating', { clientConfig: service('/third') })
    hook.answer = ({ object }, path) => ({
      patches: [{ op: 'add', path: '/data', value: { order: `${object.data?.order ?? ''}${path}` } }],
      warnings: [`from ${path}`],
    })
    const { json, headers } = await create(named())
    assert.deepEqual(json.data, { order: '/first/second/third' })
    assert.match(String(headers.warning), /from \/first.*from \/second.*from \/third/)
  })

  it('puts a container into a pod, with its defaults', async () => {
    await register('mutating', { rules: [rule(['CREATE'], ['pods'])] })
    hook.answer = () => ({
      patches: [{ op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: 'proxy' } }],
    })
    const { json, status } = await call('POST', '/api/v1/namespaces/default/pods', { body: podNamed('patched') })
    assert.equal(status, 201)
    const [, sidecar] = json.spec.containers
    assert.equal(sidecar.imagePullPolicy, 'Always')
    assert.equal(sidecar.terminationMessagePath, '/dev/termination-log')
    // The service account's plugin came again, for the container that was not there the first time.
    assert.equal(sidecar.volumeMounts[0].mountPath, '/var/run/secrets/kubernetes.io/serviceaccount')
  })

  it('asks again who wants to be asked when the object has changed', async () => {
    await register(
      'mutating',
      { name: 'again.test.dev', reinvocationPolicy: 'IfNeeded', clientConfig: service('/again') },
      { name: 'once.test.dev', clientConfig: service('/once') },
    )
    hook.answer = ({ object }, path) => {
      if (path === '/again') return { patches: [{ op: 'add', path: '/data', value: { ...object.data, again: 'yes' } }] }
      return { patches: [{ op: 'add', path: '/data/once', value: 'yes' }] }
    }
    const { json } = await create(named({ a: '1' }))
    assert.deepEqual(json.data, { a: '1', again: 'yes', once: 'yes' })
    assert.deepEqual(
      hook.asked.map(({ path }) => path),
      ['/again', '/once', '/again'],
    )
  })

  it('does not name what is still to be named while it may change', async () => {
    await register('mutating', {})
    await register('validating', {})
    const { json } = await create({ metadata: { generateName: 'made-' } })
    const [changing, judging] = hook.asked.map(({ review }) => review)
    assert.equal(changing!.name, undefined)
    assert.equal(changing!.object.metadata.uid, undefined)
    assert.equal(judging!.object.metadata.name, json.metadata.name)
  })

  it('goes by selectors', async () => {
    await register('validating', {
      objectSelector: { matchLabels: { watched: 'yes' } },
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['default'] }],
      },
    })
    hook.answer = () => ({ allowed: false })
    assert.equal((await create(named())).status, 201)
    const watched = { metadata: { name: `map-${++made}`, labels: { watched: 'yes' } } }
    assert.equal((await create(watched)).status, 400)
    assert.equal((await call('POST', '/api/v1/namespaces/kube-public/configmaps', { body: watched })).status, 201)
    // What had the label cannot slip out by losing it.
    const relabelled = await call('PATCH', `/api/v1/namespaces/kube-public/configmaps/${watched.metadata.name}`, {
      body: { metadata: { labels: null } },
      type: 'application/merge-patch+json',
    })
    assert.equal(relabelled.status, 200)
  })

  it('sees other versions of a resource as the same, unless told to be exact', async () => {
    const events = {
      rules: [{ ...rule(['CREATE'], ['horizontalpodautoscalers'], ['autoscaling']), apiVersions: ['v1'] }],
    }
    await register('validating', events)
    const body = {
      metadata: { name: 'scaled' },
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'x', apiVersion: 'apps/v1' }, maxReplicas: 3 },
    }
    const path = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers'
    assert.equal((await call('POST', `${path}?dryRun=All`, { body })).status, 201)
    const [{ review } = assert.fail()] = hook.asked
    assert.deepEqual(review.kind, { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' })
    assert.deepEqual(review.requestKind, { group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler' })
    assert.equal(review.object.apiVersion, 'autoscaling/v1')
    await call('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations`)
    await register('validating', { ...events, matchPolicy: 'Exact' })
    await call('POST', `${path}?dryRun=All`, { body })
    assert.equal(hook.asked.length, 1)
  })

  it('goes by match conditions', async () => {
    await register('validating', {
      matchConditions: [
        { name: 'watched', expression: 'has(object.data) && object.data.?watched.orValue("no") == "yes"' },
        { name: 'not-a-node', expression: '!("system:nodes" in request.userInfo.groups)' },
      ],
    })
    hook.answer = () => ({ allowed: false })
    assert.equal((await create(named())).status, 201)
    assert.equal((await create(named({ watched: 'yes' }))).status, 400)
    await call('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations`)
    await register('validating', { matchConditions: [{ name: 'broken', expression: 'object.data.none == "x"' }] })
    const { status, json } = await create(named({ a: '1' }))
    assert.equal(status, 403)
    assert.match(
      json.message,
      /forbidden: expression 'object\.data\.none == "x"' resulted in error: no such key: none$/,
    )
  })

  it('is not asked about what it is configured by', async () => {
    await register('validating', { rules: [everything] })
    hook.answer = () => ({ allowed: false })
    assert.equal((await create(named())).status, 400)
    const name = await register('validating', {})
    const { status } = await call('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations/${name}`)
    assert.equal(status, 200)
  })

  it('follows what is configured', async () => {
    hook.answer = () => ({ allowed: false })
    const name = await register('validating', {})
    await eventually(async () => assert.equal((await create(named())).status, 400))
    await call('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations/${name}`)
    await eventually(async () => assert.equal((await create(named())).status, 201))
  })

  it('fails or goes on, as its policy says, when it cannot be reached', async () => {
    const gone = { service: { name: 'gone', namespace: 'default' }, caBundle: caBundle() }
    await register('validating', { clientConfig: gone })
    const { status, json } = await create(named())
    assert.equal(status, 500)
    assert.equal(json.reason, 'InternalError')
    assert.equal(
      json.message,
      'Internal error occurred: failed calling webhook "x.test.dev": failed to call webhook: Post "https://gone.default.svc:443/?timeout=10s": service "gone" not found',
    )
    await call('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations`)
    await register('validating', { clientConfig: gone, failurePolicy: 'Ignore' })
    assert.equal((await create(named())).status, 201)
  })

  const failures: [string, (url: string) => object, RegExp][] = [
    [
      'nobody listens',
      () => ({ url: 'https://127.0.0.1:1/x' }),
      /Post "https:\/\/127\.0\.0\.1:1\/x\?timeout=10s": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    ],
    [
      'the authority is unknown',
      url => ({ url, caBundle: undefined }),
      /tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    ],
    [
      'the certificate is for others',
      url => ({ url: url.replace('localhost', '127.0.0.1') }),
      /x509: certificate is valid for hook\.default\.svc, localhost, not 127\.0\.0\.1$/,
    ],
  ]
  for (const [why, config, message] of failures)
    it(`says that ${why}`, async () => {
      const clientConfig = { caBundle: caBundle(), ...config(`https://localhost:${hook.port}/x`) }
      await register('validating', { clientConfig })
      const { status, json } = await create(named())
      assert.equal(status, 500)
      assert.match(
        json.message,
        /^Internal error occurred: failed calling webhook "x\.test\.dev": failed to call webhook: /,
      )
      assert.match(json.message, message)
    })

  const answers: [
    string,
    Parameters<NonNullable<WebhookServer['raw']>>[1] extends infer R ? (response: R) => void : never,
    RegExp,
  ][] = [
    [
      '404',
      response => void response.writeHead(404).end(),
      /failed to call webhook: the server could not find the requested resource$/,
    ],
    [
      '500',
      response => void response.writeHead(500).end('oops'),
      /failed to call webhook: an error on the server \("oops"\) has prevented the request from succeeding$/,
    ],
    [
      'no JSON',
      response => void response.end('hello'),
      /failed to call webhook: couldn't get version\/kind; json parse error: /,
    ],
    ['nothing', response => void response.end('{}'), /received invalid webhook response: webhook response was absent$/],
    [
      'another uid',
      response =>
        void response.end(
          '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"x","allowed":true}}',
        ),
      /received invalid webhook response: expected response.uid="[^"]+", got "x"$/,
    ],
    ['too much', response => void response.end('x'.repeat(9 * 1024 * 1024)), /the response is larger than \d+ bytes$/],
  ]
  for (const [what, answer, message] of answers)
    it(`does not take ${what} for an answer`, async () => {
      await register('validating', {})
      hook.raw = (request, response) => {
        request.resume()
        answer(response as never)
      }
      const { status, json } = await create(named())
      assert.equal(status, 500)
      assert.match(json.message, message)
    })

  it('waits no longer than it is told to', async () => {
    await register('validating', { timeoutSeconds: 1 })
    hook.raw = request => request.resume()
    const { status, json } = await create(named())
    assert.equal(status, 500)
    assert.match(json.message, /Post "https:\/\/hook\.default\.svc:443\/ask\?timeout=1s": context deadline exceeded$/)
  })

  it('takes no patch from who only judges, nor one that does not apply', async () => {
    await register('validating', {})
    hook.answer = () => ({ patches: [{ op: 'add', path: '/data', value: {} }] })
    assert.match((await create(named())).json.message, /validating webhook may not return response\.patch$/)
    await call('DELETE', `${CONFIGURATIONS}/validatingwebhookconfigurations`)
    await register('mutating', {})
    hook.answer = () => ({ patches: [{ op: 'replace', path: '/no/such', value: 1 }] })
    const { status } = await create(named())
    assert.equal(status, 500)
  })

  it('judges what mutating webhooks have made', async () => {
    await register('mutating', {})
    hook.answer = () => ({ patches: [{ op: 'add', path: '/metadata/labels', value: { 'not a label': 'x' } }] })
    const { status, json } = await create(named())
    assert.equal(status, 422)
    assert.match(json.message, /metadata\.labels: Invalid value: "not a label"/)
  })

  it('is asked about subresources when its rules name them', async () => {
    const deployment = {
      metadata: { name: 'scaled' },
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    }
    const path = '/apis/apps/v1/namespaces/default/deployments'
    await call('POST', path, { body: deployment })
    await register('mutating', { rules: [rule(['*'], ['deployments/scale', 'deployments/status'], ['apps'])] })
    hook.answer = ({ subResource }) =>
      subResource === 'scale' ? { patches: [{ op: 'replace', path: '/spec/replicas', value: 7 }] } : { allowed: true }
    const scaled = await call('PATCH', `${path}/scaled/scale`, {
      body: { spec: { replicas: 2 } },
      type: 'application/merge-patch+json',
    })
    assert.equal(scaled.json.spec.replicas, 7)
    const [{ review } = assert.fail()] = hook.asked
    assert.deepEqual(review.kind, { group: 'autoscaling', version: 'v1', kind: 'Scale' })
    assert.deepEqual(review.resource, { group: 'apps', version: 'v1', resource: 'deployments' })
    assert.equal(review.subResource, 'scale')
    assert.equal(review.oldObject.spec.replicas, 1)
    await call('PATCH', `${path}/scaled/status`, {
      body: { status: { replicas: 7 } },
      type: 'application/merge-patch+json',
    })
    assert.equal(hook.asked[1]?.review.subResource, 'status')
    await call('PATCH', `${path}/scaled`, { body: { spec: { replicas: 3 } }, type: 'application/merge-patch+json' })
    assert.equal(hook.asked.length, 2)
  })

  it('is asked about evictions, bindings and tokens as creates of their kinds', async () => {
    const pods = '/api/v1/namespaces/default/pods'
    await call('POST', pods, { body: podNamed('moved') })
    await register('validating', {
      rules: [rule(['CREATE'], ['pods/eviction', 'pods/binding', 'serviceaccounts/token'])],
    })
    await call('POST', `${pods}/moved/binding`, { body: { metadata: { name: 'moved' }, target: { name: 'node' } } })
    hook.answer = ({ subResource }) => ({ allowed: subResource !== 'eviction' })
    const evicted = await call('POST', `${pods}/moved/eviction`, { body: { metadata: { name: 'moved' } } })
    assert.equal(evicted.status, 400)
    await call('POST', '/api/v1/namespaces/default/serviceaccounts/default/token', { body: { spec: {} } })
    assert.deepEqual(
      hook.asked.map(({ review }) => [(review.kind as { kind: string }).kind, review.operation, review.name]),
      [
        ['Binding', 'CREATE', 'moved'],
        ['Eviction', 'CREATE', 'moved'],
        ['TokenRequest', 'CREATE', 'default'],
      ],
    )
  })

  it('is asked about questions, of which nothing is kept', async () => {
    await register('validating', {
      rules: [{ ...everything, operations: ['CREATE'] }],
      matchConditions: [{ name: 'review', expression: 'request.kind.kind.endsWith("Review")' }],
    })
    hook.answer = ({ kind }) => ({ allowed: (kind as Named).kind !== 'SelfSubjectAccessReview' })
    const token = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: { spec: { token: 'x' } } })
    assert.equal(token.status, 201)
    const access = await call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
    })
    assert.equal(access.status, 400)
    assert.deepEqual(
      hook.asked.map(({ review }) => [(review.kind as Named).kind, review.name, review.object.spec.token]),
      [
        ['TokenReview', undefined, 'x'],
        ['SelfSubjectAccessReview', undefined, undefined],
      ],
    )
  })

  it('names nothing in a collection, and a namespace twice', async () => {
    const labels = { app: 'many' }
    for (const name of ['one', 'two']) await create({ metadata: { name, labels } })
    await register('validating', { rules: [rule(['DELETE'], ['configmaps']), rule(['CREATE'], ['namespaces'])] })
    await call('DELETE', `${MAPS}?labelSelector=app%3Dmany`)
    await call('POST', '/api/v1/namespaces?dryRun=All', { body: { metadata: { name: 'fresh' } } })
    assert.deepEqual(
      hook.asked.map(({ review }) => [review.name, review.namespace, review.oldObject?.metadata.name]).sort(),
      [
        [undefined, 'default', 'one'],
        [undefined, 'default', 'two'],
        ['fresh', 'fresh', undefined],
      ],
    )
  })

  it('shows who changes an object what the client said, and who judges it what it will be', async () => {
    const map = named({ a: '1' })
    const { json } = await create(map)
    await register('mutating', {})
    await register('validating', {})
    await call('PUT', `${MAPS}/${map.metadata.name}`, { body: { ...map, data: { a: '2' } } })
    const [changing, judging] = hook.asked.map(({ review }) => review.object.metadata)
    assert.equal(changing.uid, undefined)
    assert.equal(changing.resourceVersion, undefined)
    assert.equal(judging.uid, json.metadata.uid)
    assert.equal(judging.resourceVersion, json.metadata.resourceVersion)
  })

  it('takes no managedFields that are none', async () => {
    await register('mutating', {})
    hook.answer = () => ({ patches: [{ op: 'replace', path: '/metadata/managedFields', value: [{ operation: 'X' }] }] })
    const { json, headers } = await create(named({ a: '1' }))
    assert.equal(json.metadata.managedFields.length, 1)
    assert.match(
      String(headers.warning),
      /metadata\.managedFields was in an invalid state after admission; .*: operation must be `Apply` or `Update`/,
    )
  })

  it('counts what it does', async () => {
    await register('validating', { name: 'counted.test.dev' })
    await create(named())
    hook.answer = () => ({ allowed: false, status: { kind: 'Status', apiVersion: 'v1', metadata: {}, code: 418 } })
    await create(named())
    const { text } = await call('GET', '/metrics')
    const about = 'name="counted.test.dev",operation="CREATE"'
    assert.match(
      text,
      new RegExp(`webhook_request_total\\{code="200",${about},rejected="false",type="validating"\\} 1`),
    )
    assert.match(
      text,
      new RegExp(
        `webhook_rejection_count\\{error_type="no_error",${about},rejection_code="418",type="validating"\\} 1`,
      ),
    )
    assert.match(text, new RegExp(`webhook_admission_duration_seconds_count\\{${about},rejected="true"`))
  })

  it('is asked about connections', async () => {
    const pods = '/api/v1/namespaces/default/pods'
    await call('POST', pods, { body: podNamed('entered') })
    await register('validating', { rules: [rule(['CONNECT'], ['pods/exec'])] })
    hook.answer = () => ({
      allowed: false,
      status: { kind: 'Status', apiVersion: 'v1', metadata: {}, message: 'stay out' },
    })
    const { status, json } = await call('POST', `${pods}/entered/exec?command=sh&command=-c&stdin=true&container=main`)
    assert.equal(status, 400, json.message)
    assert.equal(json.message, 'admission webhook "x.test.dev" denied the request: stay out')
    const [{ review } = assert.fail()] = hook.asked
    assert.deepEqual(review.object, {
      kind: 'PodExecOptions',
      apiVersion: 'v1',
      stdin: true,
      container: 'main',
      command: ['sh', '-c'],
    })
  })

  it('keeps no server from starting', async () => {
    const url = 'https://127.0.0.1:1/'
    await register('validating', { rules: [everything], clientConfig: { url } })
    const second = await server.another()
    try {
      const { status } = await caller({ ...server, port: second.port })('GET', '/readyz')
      assert.equal(status, 200)
    } finally {
      await second.stop()
    }
  })

  it('keeps its connection', async () => {
    await register('validating', {})
    await create(named())
    const { connections } = hook
    for (let index = 0; index < 10; index++) await create(named())
    assert.equal(hook.connections, connections)
  })
})
