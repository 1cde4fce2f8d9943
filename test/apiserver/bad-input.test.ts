import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Answer,
  type Call,
  type CallOptions,
  caller,
  makeServiceAccount,
  podNamed,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'

const PODS = '/api/v1/namespaces/default/pods'
const MAPS = '/api/v1/namespaces/default/configmaps'

interface Case extends CallOptions {
  what: string
  method?: string
  path?: string
  code: number
  reason: string
  message: string | RegExp
}

const map = (rest: object = {}) => ({ metadata: { name: 'new' }, ...rest })

/** Ten levels of nine aliases each: a few lines that stand for billions of values. */
const bomb = Array.from({ length: 10 }, (_, level) =>
  level === 0
    ? 'a0: &a0 ["x"]'
    : `a${level}: &a${level} [${Array(9)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
).join('\n')

/** Tokens that lie, with what upstream says of them. */
function continueTokens(): Case[] {
  const version = 'meta.k8s.io/v1'
  const tokens: [unknown, string][] = [
    [{ v: 'meta.k8s.io/v2', rv: 5, start: 'x' }, 'server does not recognize this encoded version meta.k8s.io/v2'],
    [{ v: version, rv: 0, start: 'x' }, 'incorrect encoded start resourceVersion (version meta.k8s.io/v1)'],
    [{ v: version, rv: 5 }, 'encoded start key empty (version meta.k8s.io/v1)'],
    [{ v: version, rv: 5, start: '../../../x' }, '../../../x'],
    [{ v: version, rv: 5, start: 'a//b' }, 'a//b'],
    [
      { v: version, rv: '5', start: 'x' },
      'json: cannot unmarshal string into Go struct field continueToken.rv of type int64',
    ],
    [[], 'json: cannot unmarshal array into Go value of type storage.continueToken'],
    ['x', 'json: cannot unmarshal string into Go value of type storage.continueToken'],
  ]
  return tokens.map(([token, detail]) => ({
    what: `the continue token ${JSON.stringify(token)}`,
    method: 'GET',
    path: `${MAPS}?limit=1&continue=${Buffer.from(JSON.stringify(token)).toString('base64url')}`,
    code: 400,
    reason: 'BadRequest',
    message: `invalid continue token: continue key is not valid: ${detail}`,
  }))
}

const cases: Case[] = [
  {
    what: 'malformed JSON',
    body: '{"metadata": {"name": "x"',
    code: 400,
    reason: 'BadRequest',
    message:
      /^the object provided is unrecognized \(must be of type ConfigMap\): couldn't get version\/kind; json parse error: .*\(\{"metadata": \{"name": "x"\)$/,
  },
  { what: 'an empty body', body: '', code: 400, reason: 'BadRequest', message: /\(<empty>\)$/ },
  {
    what: 'a list instead of an object',
    body: '[]',
    code: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal array/,
  },
  {
    what: 'a wrong type',
    body: map({ data: { a: 1 } }),
    code: 400,
    reason: 'BadRequest',
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  },
  {
    what: 'an unknown field, strictly',
    path: `${MAPS}?fieldValidation=Strict`,
    body: map({ foo: 1, bar: 2 }),
    code: 400,
    reason: 'BadRequest',
    message: /strict decoding error: unknown field "(foo", unknown field "bar|bar", unknown field "foo)"$/,
  },
  {
    what: 'a duplicate field, strictly',
    path: `${MAPS}?fieldValidation=Strict`,
    body: '{"metadata":{"name":"new"},"data":{"a":"1","a":"2"}}',
    code: 400,
    reason: 'BadRequest',
    message: /strict decoding error: duplicate field "data.a"$/,
  },
  {
    what: 'unknown and duplicate fields, strictly: in the order of the document',
    path: `${MAPS}?fieldValidation=Strict`,
    body: '{"foo":1,"metadata":{"name":"new"},"data":{"a":"1","a":"2"},"bar":1,"kind":"ConfigMap","kind":"ConfigMap"}',
    code: 400,
    reason: 'BadRequest',
    message:
      /strict decoding error: unknown field "foo", duplicate field "data.a", unknown field "bar", duplicate field "kind"$/,
  },
  {
    what: 'an unknown field that is repeated, and repeats others within, strictly',
    path: `${MAPS}?fieldValidation=Strict`,
    body: '{"metadata":{"name":"new","x":1,"x":2},"x":{"y":1,"y":2},"data":{"a":"1","a":"2"},"bar":1,"bar":2}',
    code: 400,
    reason: 'BadRequest',
    message:
      /strict decoding error: unknown field "metadata.x", unknown field "x", duplicate field "data.a", unknown field "bar"$/,
  },
  {
    what: 'a fieldValidation that is none',
    path: `${MAPS}?fieldValidation=Maybe`,
    body: map(),
    code: 422,
    reason: 'Invalid',
    message: /fieldValidation: Unsupported value: "Maybe"/,
  },
  {
    what: 'another version',
    body: map({ apiVersion: 'v2', kind: 'ConfigMap' }),
    code: 400,
    reason: 'BadRequest',
    message:
      'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111"',
  },
  {
    what: 'another kind',
    body: map({ apiVersion: 'v1', kind: 'Secret' }),
    code: 400,
    reason: 'BadRequest',
    message: /^Secret in version "v1" cannot be handled as a ConfigMap/,
  },
  {
    what: 'another namespace than the path says',
    body: { metadata: { name: 'new', namespace: 'other' } },
    code: 400,
    reason: 'BadRequest',
    message: 'the namespace of the provided object does not match the namespace sent on the request',
  },
  {
    what: 'a namespace that is not there',
    path: '/api/v1/namespaces/nowhere/configmaps',
    body: map(),
    code: 404,
    reason: 'NotFound',
    message: 'namespaces "nowhere" not found',
  },
  {
    what: 'an invalid name',
    body: { metadata: { name: 'Not_A_Name' } },
    code: 422,
    reason: 'Invalid',
    message:
      /^ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain must consist of/,
  },
  {
    what: 'no name at all',
    body: { metadata: {} },
    code: 422,
    reason: 'Invalid',
    message: /metadata.name: Required value: name or generateName is required/,
  },
  {
    what: 'an invalid label',
    body: { metadata: { name: 'new', labels: { 'a b': 'x' } } },
    code: 422,
    reason: 'Invalid',
    message: /metadata.labels: Invalid value: "a b": name part must consist of/,
  },
  {
    what: 'annotations beyond 256 KiB',
    body: { metadata: { name: 'new', annotations: { a: 'x'.repeat(256 * 1024) } } },
    code: 422,
    reason: 'Invalid',
    message: /metadata.annotations: Too long: may not be more than 262144 bytes/,
  },
  {
    what: 'a finalizer without a domain',
    body: { metadata: { name: 'new', finalizers: ['mine'] } },
    code: 422,
    reason: 'Invalid',
    message:
      /metadata.finalizers\[0\]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified/,
  },
  {
    what: 'a resourceVersion on what is to be created',
    body: { metadata: { name: 'new', resourceVersion: '7' } },
    code: 500,
    reason: '',
    message: 'resourceVersion should not be set on objects to be created',
  },
  {
    what: 'a body over 3 MiB',
    body: map({ data: { a: 'x'.repeat(3 * 1024 * 1024) } }),
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: 'Request entity too large: limit is 3145728',
  },
  {
    what: 'a YAML bomb',
    body: bomb,
    type: 'application/yaml',
    code: 400,
    reason: 'BadRequest',
    message: /excessive aliasing/,
  },
  {
    what: 'a media type that nothing comes in',
    body: 'hello',
    type: 'text/plain',
    code: 415,
    reason: 'UnsupportedMediaType',
    message: /^the body of the request was in an unknown format - accepted media types include: application\/json/,
  },
  {
    what: 'a media type that nothing is answered in',
    headers: { accept: 'text/html' },
    body: map(),
    code: 406,
    reason: 'NotAcceptable',
    message: /^406: Not Acceptable\n\nAvailable representations: application\/json/,
  },
  {
    what: 'missing required fields',
    path: PODS,
    body: { metadata: { name: 'new' }, spec: {} },
    code: 422,
    reason: 'Invalid',
    message: /spec.containers: Required value/,
  },
  {
    what: 'a dryRun that is none',
    path: `${MAPS}?dryRun=Some`,
    body: map(),
    code: 422,
    reason: 'Invalid',
    message: /dryRun: Unsupported value/,
  },
  {
    what: 'a name in the path of a create',
    path: `${MAPS}/new`,
    body: map(),
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
  },
  {
    what: 'a create of a namespaced kind without a namespace',
    path: '/api/v1/configmaps',
    body: map(),
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
  },
  {
    what: 'a resource that is not served',
    path: '/api/v1/namespaces/default/gadgets',
    body: map(),
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
  },
  {
    what: 'an update under another name',
    method: 'PUT',
    path: `${MAPS}/here`,
    body: { metadata: { name: 'there' } },
    code: 400,
    reason: 'BadRequest',
    message: 'the name of the object (there) does not match the name on the URL (here)',
  },
  {
    what: 'an update of what is not there',
    method: 'PUT',
    path: `${MAPS}/there`,
    body: { metadata: { name: 'there' } },
    code: 404,
    reason: 'NotFound',
    message: 'configmaps "there" not found',
  },
  {
    what: 'an update of a stale version',
    method: 'PUT',
    path: `${MAPS}/here`,
    body: { metadata: { name: 'here', resourceVersion: '1' } },
    code: 409,
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on configmaps "here": the object has been modified; please apply your changes to the latest version and try again',
  },
  {
    what: 'an update of another uid',
    method: 'PUT',
    path: `${MAPS}/here`,
    body: { metadata: { name: 'here', uid: 'other' } },
    code: 409,
    reason: 'Conflict',
    message: /Precondition failed: UID in precondition: other, UID in object meta: /,
  },
  {
    what: 'a patch of an unknown kind',
    method: 'PATCH',
    path: `${MAPS}/here`,
    body: {},
    code: 415,
    reason: 'UnsupportedMediaType',
    message: '415: Unsupported Media Type',
  },
  {
    what: 'a malformed patch',
    method: 'PATCH',
    path: `${MAPS}/here`,
    type: 'application/merge-patch+json',
    body: '{"data":',
    code: 400,
    reason: 'BadRequest',
    message: /^error decoding patch: /,
  },
  {
    what: 'a patch that breaks a type',
    method: 'PATCH',
    path: `${MAPS}/here`,
    type: 'application/merge-patch+json',
    body: { data: { a: 1 } },
    code: 422,
    reason: 'Invalid',
    message: /cannot unmarshal number/,
  },
  {
    what: 'a label selector that does not parse',
    method: 'GET',
    path: `${MAPS}?labelSelector=${encodeURIComponent('a in (')}`,
    code: 400,
    reason: 'BadRequest',
    message: /unable to parse requirement/,
  },
  {
    what: 'a field that cannot be selected by',
    method: 'GET',
    path: `${MAPS}?fieldSelector=spec.foo%3Dbar`,
    code: 400,
    reason: 'BadRequest',
    message: '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
  },
  ...continueTokens(),
  {
    what: 'a limit beyond 64 bits',
    method: 'GET',
    path: `${MAPS}?limit=99999999999999999999`,
    code: 400,
    reason: 'BadRequest',
    message: 'strconv.ParseInt: parsing "99999999999999999999": value out of range',
  },
  {
    what: 'a revision beyond 64 bits',
    method: 'GET',
    path: `${MAPS}?resourceVersion=99999999999999999999999`,
    code: 400,
    reason: 'BadRequest',
    message: /strconv.ParseUint: parsing "99999999999999999999999": value out of range$/,
  },
  {
    what: 'YAML that is nested too deep',
    body: `a: ${'['.repeat(20_000)}1${']'.repeat(20_000)}`,
    type: 'application/yaml',
    code: 400,
    reason: 'BadRequest',
    message: /yaml: exceeded max depth of 10000 \(/,
  },
  {
    what: 'a continue token that is none',
    method: 'GET',
    path: `${MAPS}?limit=1&continue=nonsense`,
    code: 400,
    reason: 'BadRequest',
    message: /^invalid continue token: continue key is not valid/,
  },
  {
    what: 'a revision that is none',
    method: 'GET',
    path: `${MAPS}?resourceVersion=abc`,
    code: 400,
    reason: 'BadRequest',
    message: /invalid resource version: resourceVersion: Invalid value: "abc"/,
  },
  {
    what: 'two propagation policies',
    method: 'DELETE',
    path: `${MAPS}/here`,
    body: { propagationPolicy: 'Background', orphanDependents: true },
    code: 422,
    reason: 'Invalid',
    message: /orphanDependents and deletionPropagation cannot be both set/,
  },
  {
    what: 'a delete of another uid',
    method: 'DELETE',
    path: `${MAPS}/here`,
    body: { preconditions: { uid: 'other' } },
    code: 409,
    reason: 'Conflict',
    message: /the UID in the precondition \(other\) does not match the UID in record/,
  },
]

describe('bad input', () => {
  let server: TestApiServer
  let call: Call
  let before_: Answer

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    await makeServiceAccount(call)
    await call('POST', MAPS, { body: { metadata: { name: 'here' } } })
    await call('POST', PODS, { body: podNamed('here') })
    before_ = await call('GET', MAPS)
  })
  after(() => server.stop())

  for (const { what, method = 'POST', path = MAPS, code, reason, message, ...options } of cases)
    it(`refuses ${what}`, async () => {
      const answer = await call(method, path, options)
      const status = answer.json
      assert.equal(answer.status, code, answer.text)
      assert.equal(status.kind, 'Status')
      assert.equal(status.code, code)
      assert.equal(status.reason ?? '', reason)
      if (typeof message === 'string') assert.equal(status.message, message)
      else assert.match(status.message, message)
    })

  it('changes nothing by any of it', async () => {
    const { items } = (await call('GET', MAPS)).json
    assert.deepEqual(items, before_.json.items)
  })

  it('warns of unknown and duplicate fields unless told otherwise', async () => {
    const body = '{"metadata":{"name":"warned"},"foo":1,"data":{"a":"1","a":"2"}}'
    const answer = await call('POST', `${MAPS}?dryRun=All`, { body })
    assert.equal(answer.status, 201)
    assert.match(
      String(answer.headers.warning),
      /299 - "unknown field \\"foo\\"".*299 - "duplicate field \\"data.a\\""/,
    )
    const silent = await call('POST', `${MAPS}?dryRun=All&fieldValidation=Ignore`, { body })
    assert.equal(silent.status, 201)
    assert.equal(silent.headers.warning, undefined)
  })
})
