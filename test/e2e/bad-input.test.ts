/** What somebody at a terminal is told when something is wrong. The API's own answers: test/apiserver/bad-input.test.ts. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { caller, makeServiceAccount, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'
import { DEMO, tryKubectl } from '../support/kubectl.ts'

let server: TestApiServer
let scratch: string
let kubeconfig: string

const kubectl = (args: string[], input = '') => tryKubectl({ kubeconfig }, args, input)

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'k8ts-bad-input-'))
  kubeconfig = join(scratch, 'kubeconfig')
  server = await startTestApiServer()
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(server)))
  await makeServiceAccount(caller(server))
  const { code, stderr } = await kubectl(
    ['create', '--filename=-'],
    present.map(item => JSON.stringify(item)).join('\n'),
  )
  assert.equal(code, 0, stderr)
})
after(async () => {
  await server.stop()
  rmSync(scratch, { recursive: true, force: true })
})

function kubeconfigOf({ url, ca, admin }: TestApiServer) {
  const encode = (pem: string) => Buffer.from(pem).toString('base64')
  const user = { 'client-certificate-data': encode(admin.cert), 'client-key-data': encode(admin.key) }
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': encode(ca) } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  }
}

const map = (name: string, rest: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...rest })
const container = (rest: object = {}) => ({ name: 'main', image: DEMO, ...rest })
const pod = (spec: object, name = 'new') => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec })
const podWith = (rest: object) => pod({ containers: [container(rest)] })
const service = (spec: object, name = 'new') => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec })
const deployment = (spec: object, name = 'new') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container()] } },
    ...spec,
  },
})

/** What is there before anything bad comes in. */
const present = [
  map('here', { data: { key: 'value' } }),
  map('fixed', { data: { key: 'value' }, immutable: true }),
  pod({ containers: [container()] }, 'here'),
  deployment({}, 'here'),
  service({ type: 'NodePort', clusterIP: '10.96.0.77', ports: [{ port: 80, nodePort: 30777 }] }, 'here'),
]

interface Case {
  what: string
  /** Default: `create -f -` */
  args?: string[]
  input?: object | string
  /** All that kubectl says, or a part of it. */
  says: string | RegExp
}

const BAD_REQUEST = 'Error from server (BadRequest): error when creating "STDIN": '

const cases: Case[] = [
  {
    what: 'an unknown field',
    input: pod({ containers: [container()], containerz: [] }),
    says: `${BAD_REQUEST}Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containerz"\n`,
  },
  {
    what: 'an unknown field deep inside',
    input: deployment({ template: { spec: { containers: [container({ imagePolicy: 'Always' })] } } }),
    says: `${BAD_REQUEST}Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.template.spec.containers[0].imagePolicy"\n`,
  },
  {
    what: 'a text for a number',
    input: deployment({ replicas: 'three' }),
    says: `${BAD_REQUEST}Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32\n`,
  },
  {
    what: 'a number for a text, as YAML makes them',
    input:
      'apiVersion: v1\nkind: Pod\nmetadata: {name: new}\nspec:\n  containers:\n  - {name: main, image: x, env: [{name: PORT, value: 80}]}\n',
    says: `${BAD_REQUEST}Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string\n`,
  },
  {
    what: 'an object for a list',
    input: pod({ containers: container() }),
    says: `${BAD_REQUEST}Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container\n`,
  },
  {
    what: 'an amount that is none',
    input: podWith({ resources: { requests: { cpu: 'lots' } } }),
    says: `${BAD_REQUEST}Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n`,
  },
  {
    what: 'a time that is none',
    input: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'new' },
      spec: { renewTime: 'yesterday' },
    },
    says: `${BAD_REQUEST}Lease in version "v1" cannot be handled as a Lease: parsing time "yesterday" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "yesterday" as "2006"\n`,
  },
  {
    what: 'bytes that are not base64',
    input: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'new' }, data: { key: '!' } },
    says: `${BAD_REQUEST}Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0\n`,
  },
  {
    what: 'a pod without containers',
    input: pod({}),
    says: 'The Pod "new" is invalid: spec.containers: Required value\n',
  },
  {
    what: 'several things at once, all of them named',
    input: pod({ containers: [{}], restartPolicy: 'Sometimes' }),
    says: /^The Pod "new" is invalid: \n\* spec\.containers\[0\]\.name: Required value\n\* spec\.containers\[0\]\.image: Required value\n\* spec\.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"\n$/,
  },
  {
    what: 'two containers of one name',
    input: pod({ containers: [container(), container()] }),
    says: 'The Pod "new" is invalid: spec.containers[1].name: Duplicate value: "main"\n',
  },
  {
    what: 'a port beyond all ports',
    input: podWith({ ports: [{ containerPort: 70000 }] }),
    says: 'The Pod "new" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive\n',
  },
  {
    what: 'a mount of a volume that is not there',
    input: podWith({ volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
    says: 'The Pod "new" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "data"\n',
  },
  {
    what: 'more asked for than allowed',
    input: podWith({ resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }),
    says: 'The Pod "new" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1\n',
  },
  {
    what: 'a probe that does nothing',
    input: podWith({ livenessProbe: {} }),
    says: 'The Pod "new" is invalid: spec.containers[0].livenessProbe: Required value: must specify a handler type\n',
  },
  {
    what: 'a service account that is not there',
    input: pod({ serviceAccountName: 'nobody', containers: [container()] }),
    says: 'Error from server (Forbidden): error when creating "STDIN": pods "new" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found\n',
  },
  {
    what: 'a deployment whose template it would not select',
    input: deployment({ selector: { matchLabels: { app: 'other' } } }),
    says: /^The Deployment "new" is invalid: spec\.template\.metadata\.labels: Invalid value: .*\{"app": ?"web"\}: `selector` does not match template `labels`\n$/,
  },
  {
    what: 'a deployment without a selector',
    input: deployment({ selector: undefined }),
    says: /\* spec\.selector: Required value\n/,
  },
  {
    what: 'fewer than no replicas',
    args: ['patch', 'deployment', 'here', '--patch={"spec":{"replicas":-1}}'],
    says: 'The Deployment "here" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0\n',
  },
  {
    what: 'a service without ports',
    input: service({}),
    says: 'The Service "new" is invalid: spec.ports: Required value\n',
  },
  {
    what: 'a node port outside its range',
    input: service({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }),
    says: 'The Service "new" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767\n',
  },
  {
    what: 'a node port that another has',
    input: service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30777 }] }),
    says: 'The Service "new" is invalid: spec.ports[0].nodePort: Invalid value: 30777: provided port is already allocated\n',
  },
  {
    what: 'a service address that another has',
    input: service({ clusterIP: '10.96.0.77', ports: [{ port: 80 }] }),
    says: /^The Service "new" is invalid: spec\.clusterIPs: Invalid value: .*10\.96\.0\.77.*: failed to allocate IP 10\.96\.0\.77: provided IP is already allocated\n$/,
  },
  {
    what: 'a service address outside its range',
    input: service({ clusterIP: '192.0.2.1', ports: [{ port: 80 }] }),
    says: /failed to allocate IP 192\.0\.2\.1: the provided IP \(192\.0\.2\.1\) is not in the valid range\. The range of valid IPs is 10\.96\.0\.0\/16\n$/,
  },
  {
    what: 'a name with capitals',
    input: map('Bad_Name'),
    says: `The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\n`,
  },
  {
    what: 'a namespace with an underscore',
    args: ['create', 'namespace', 'a_b'],
    says: `The Namespace "a_b" is invalid: metadata.name: Invalid value: "a_b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')\n`,
  },
  {
    what: 'a name that is too long',
    input: map('a'.repeat(254)),
    says: /metadata\.name: Invalid value: "a{254}": must be no more than 253 (bytes|characters)\n$/,
  },
  {
    what: 'a key that is no file name',
    input: map('new', { data: { 'a/b': 'x' } }),
    says: /^The ConfigMap "new" is invalid: data\[a\/b\]: Invalid value: "a\/b": a valid config key must consist of alphanumeric characters, '-', '_' or '\.'/,
  },
  {
    what: 'a ConfigMap beyond 1 MiB',
    input: map('new', { data: { key: 'x'.repeat((1 << 20) + 1) } }),
    says: /^The ConfigMap "new" is invalid: \[?\]?: Too long: may not be more than 1048576 bytes\n$/,
  },
  {
    what: 'an object beyond 3 MiB',
    input: map('new', { data: { key: 'x'.repeat(3 << 20) } }),
    says: /^Error from server \(RequestEntityTooLarge\): .*Request entity too large: limit is 3145728\n$/,
  },
  {
    what: 'what exists already',
    input: map('here'),
    says: 'Error from server (AlreadyExists): error when creating "STDIN": configmaps "here" already exists\n',
  },
  {
    what: 'a namespace that does not exist',
    args: ['create', '--namespace=nowhere', '--filename=-'],
    input: map('new'),
    says: 'Error from server (NotFound): error when creating "STDIN": namespaces "nowhere" not found\n',
  },
  {
    what: 'a kind that does not exist',
    input: { apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'new' } },
    says: /^error: resource mapping not found for name: "new" namespace: "" from "STDIN": no matches for kind "Gadget" in version "example\.com\/v1"\n/,
  },
  {
    what: 'a resource that does not exist',
    args: ['get', 'gadgets'],
    says: `error: the server doesn't have a resource type "gadgets"\n`,
  },
  {
    what: 'an object that does not exist',
    args: ['get', 'pod', 'nobody'],
    says: 'Error from server (NotFound): pods "nobody" not found\n',
  },
  {
    what: 'a path that does not exist',
    args: ['get', '--raw=/api/v3'],
    says: 'Error from server (NotFound): the server could not find the requested resource\n',
  },
  {
    what: 'a stale version',
    args: ['replace', '--filename=-'],
    input: { ...map('here'), metadata: { name: 'here', resourceVersion: '1' }, data: { key: 'other' } },
    says: 'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "here": the object has been modified; please apply your changes to the latest version and try again\n',
  },
  {
    what: 'another selector for a deployment',
    args: [
      'patch',
      'deployment',
      'here',
      '--type=merge',
      '--patch={"spec":{"selector":{"matchLabels":{"tier":"x"}},"template":{"metadata":{"labels":{"tier":"x"}}}}}',
    ],
    says: /^The Deployment "here" is invalid: spec\.selector: Invalid value: .*: field is immutable\n$/,
  },
  {
    what: 'another node for a pod',
    args: ['patch', 'pod', 'here', '--patch={"spec":{"hostname":"other"}}'],
    says: /^The Pod "here" is invalid: spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/,
  },
  {
    what: 'another address for a service',
    args: ['patch', 'service', 'here', '--patch={"spec":{"clusterIP":"10.96.0.78","clusterIPs":["10.96.0.78"]}}'],
    says: /^The Service "here" is invalid: spec\.clusterIPs\[0\]: Invalid value: .*: may not change once set\n$/,
  },
  {
    what: 'a change to what was declared immutable',
    args: ['patch', 'configmap', 'fixed', '--patch={"data":{"key":"other"}}'],
    says: 'The ConfigMap "fixed" is invalid: data: Forbidden: field is immutable when `immutable` is set\n',
  },
  {
    what: 'a JSON patch whose test fails',
    args: ['patch', 'configmap', 'here', '--type=json', '--patch=[{"op":"test","path":"/data/key","value":"other"}]'],
    says: 'The request is invalid: the server rejected our request due to an error in our request\n',
  },
  {
    what: 'the end of a namespace that the cluster needs',
    args: ['delete', 'namespace', 'default'],
    says: 'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n',
  },
  {
    what: 'a field that nothing is selected by',
    args: ['get', 'pods', '--field-selector=spec.nope=x'],
    says: 'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.nope=x": field label not supported: spec.nope\n',
  },
  {
    what: 'a bad object in a server-side dry run',
    args: ['create', '--dry-run=server', '--filename=-'],
    input: pod({}),
    says: 'The Pod "new" is invalid: spec.containers: Required value\n',
  },
]

describe('kubectl is told about', { concurrency: 2 }, () => {
  let revision: number
  before(async () => {
    revision = await server.store.revision()
  })

  for (const { what, args = ['create', '--filename=-'], input = '', says } of cases) {
    test(what, async () => {
      const { code, stdout, stderr } = await kubectl(args, typeof input === 'string' ? input : JSON.stringify(input))
      if (typeof says === 'string') assert.equal(stderr, says)
      else assert.match(stderr, says)
      assert.deepEqual([code, stdout], [1, ''])
    })
  }

  after(async () => assert.equal(await server.store.revision(), revision, 'none of it has written anything'))
})

describe('a client that does not behave', () => {
  const healthy = async () => {
    assert.equal((await kubectl(['get', '--raw=/readyz'])).stdout, 'ok')
    assert.equal((await kubectl(['get', 'configmap', 'here', '--output=jsonpath={.data.key}'])).stdout, 'value')
  }

  test('warned rather than refused, when it asks for that', async () => {
    const input = JSON.stringify({ ...map('warned'), nonsense: 1 })
    const { code, stderr } = await kubectl(['create', '--validate=warn', '--dry-run=server', '--filename=-'], input)
    assert.deepEqual([code, stderr], [0, 'Warning: unknown field "nonsense"\n'])
  })

  test('sends lists within lists without end', async () => {
    const deep = '['.repeat(200_000)
    const answer = await caller(server)('POST', '/api/v1/namespaces/default/configmaps', { body: deep })
    assert.equal(answer.status, 400)
    await healthy()
  })

  test('sends something that is neither TLS nor HTTP', async () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume().end('HELO mail.example.org\r\n'.repeat(1000))
    await new Promise(resolve => socket.once('close', resolve))
    await healthy()
  })

  test('sends headers without end', async () => {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', ca: server.ca, ...server.admin })
    socket.on('error', () => {})
    let answer = ''
    socket.setEncoding('utf8').on('data', text => {
      answer += text
    })
    socket.write(`GET /api HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(2 << 20)}\r\n\r\n`)
    await new Promise(resolve => socket.once('close', resolve))
    // The connection may be cut before the answer has been read.
    assert.match(answer, /^(HTTP\/1\.1 431 |$)/)
    await healthy()
  })

  test('promises a body and leaves', async () => {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', ca: server.ca, ...server.admin })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    const head = 'POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    await new Promise(resolve => socket.write(`${head}Content-Length: 1000\r\n\r\n{"metadata":{"name":"half"`, resolve))
    socket.destroy()
    await healthy()
    assert.match((await kubectl(['get', 'configmap', 'half'])).stderr, /configmaps "half" not found/)
  })

  test('sends many bodies that are too large, at once', async () => {
    const call = caller(server)
    const body = 'x'.repeat(4 << 20)
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => call('POST', '/api/v1/namespaces/default/configmaps', { body })),
    )
    for (const { status } of answers) assert.equal(status, 413)
    await healthy()
  })
})
