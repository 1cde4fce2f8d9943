import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Call, caller, makeServiceAccount, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'

/** What upstream's API server answers where a namespace has limits and quotas. */

type Amounts = Record<string, string>

interface Step {
  /** Default: POST */
  method?: string
  /** Within the namespace. */
  path: string
  body: object
  /** How it is refused, after `KIND "NAME" is forbidden: `. */
  message?: string
  /** Of a pod that is made. */
  noted?: string
  needs?: object[]
}

interface Story {
  ranges?: object[]
  quotas?: Record<string, { hard: Amounts } & Record<string, unknown>>
  steps: Step[]
  /** At the end, of the first quota. */
  used?: Amounts
}

const of = (requests?: Amounts, limits?: Amounts, more: object = {}) => ({
  name: 'a',
  image: 'x',
  resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
  ...more,
})
const memory = (amount: string, limit = amount) => of({ memory: amount }, { memory: limit })
const cpu = (amount: string, limit = amount) => of({ cpu: amount }, { cpu: limit })
const init = (...initContainers: object[]) => ({
  initContainers: initContainers.map((each, i) => ({ ...each, name: `i${i}` })),
})

type Answer = Partial<Pick<Step, 'message' | 'noted' | 'needs'>> | string

const answer = (expected: Answer) => (typeof expected === 'string' ? { message: expected } : expected)
const pod = (name: string, container: object, expected: Answer = {}, spec: object = {}): Step => ({
  path: 'pods',
  body: { metadata: { name }, spec: { containers: [container], ...spec } },
  ...answer(expected),
})
const claim = (name: string, storage: string, expected: Answer = {}, spec: object = {}): Step => ({
  path: 'persistentvolumeclaims',
  body: { metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec } },
  ...answer(expected),
})
const service = (name: string, spec: object, expected: Answer = {}): Step => ({
  path: 'services',
  body: {
    metadata: { name },
    spec: {
      ports: [
        { port: 80, name: 'a' },
        { port: 81, name: 'b' },
      ],
      ...spec,
    },
  },
  ...answer(expected),
})
const map = (name: string, expected: Answer = {}, query = ''): Step => ({
  path: `configmaps${query}`,
  body: { metadata: { name } },
  ...answer(expected),
})
const change = (path: string, body: object, expected: Answer = {}): Step => ({
  method: 'PATCH',
  path,
  body,
  ...answer(expected),
})
const resize = (name: string, resources: object, expected: Answer = {}): Step =>
  change(`pods/${name}/resize`, { spec: { containers: [{ name: 'a', resources }] } }, expected)

const exceeded = (quota: string, requested: string, used: string, limited: string) =>
  `exceeded quota: ${quota}, requested: ${requested}, used: ${used}, limited: ${limited}`
const onePod = (quota: string) => exceeded(quota, 'pods=1', 'pods=1', 'pods=1')
const scoped = (operator: string, values?: string[], scopeName = 'PriorityClass') => ({
  scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values ? { values } : {}) }] },
})
const CRITICAL = 'system-node-critical'
const OF_GOLD = 'gold.storageclass.storage.k8s.io'
const perPod = 'per Pod is'
const perContainer = 'per Container is'

const stories: Record<string, Story> = {
  'defaults of containers': {
    ranges: [
      {
        type: 'Container',
        default: { cpu: '500m', memory: '512Mi' },
        defaultRequest: { cpu: '100m', 'ephemeral-storage': '1Gi' },
      },
    ],
    steps: [
      pod('a', of(), {
        noted: 'cpu, ephemeral-storage, memory request for container a; cpu, memory limit for container a',
        needs: [
          {
            limits: { cpu: '500m', memory: '512Mi' },
            requests: { cpu: '100m', 'ephemeral-storage': '1Gi', memory: '512Mi' },
          },
        ],
      }),
      pod(
        'b',
        of({ cpu: '50m', 'ephemeral-storage': '1' }, { cpu: '1', memory: '1Gi' }),
        {
          noted: 'ephemeral-storage request for init container i0; memory limit for init container i0',
          needs: [
            { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '50m', 'ephemeral-storage': '1', memory: '1Gi' } },
            {
              limits: { cpu: '1', memory: '512Mi' },
              requests: { cpu: '1', 'ephemeral-storage': '1Gi', memory: '1Mi' },
            },
          ],
        },
        init(of({ memory: '1Mi' }, { cpu: '1' })),
      ),
    ],
  },
  'limits of containers': {
    ranges: [{ type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' }, maxLimitRequestRatio: { cpu: '4' } }],
    steps: [
      pod('a', of(), { noted: 'cpu request for container a; cpu limit for container a' }),
      pod(
        'b',
        of({ cpu: '50m' }),
        `[minimum cpu usage ${perContainer} 100m, but request is 50m, cpu max limit to request ratio ${perContainer} 4, but provided ratio is 20.000000]`,
      ),
      pod('c', cpu('100m', '500m'), `cpu max limit to request ratio ${perContainer} 4, but provided ratio is 5.000000`),
      pod('d', cpu('2'), `maximum cpu usage ${perContainer} 1, but limit is 2`),
      // Both say the same, and it is said once.
      pod('e', cpu('10m'), `minimum cpu usage ${perContainer} 100m, but request is 10m`, init(cpu('10m'))),
      pod(
        'f',
        cpu('0', '1'),
        `[minimum cpu usage ${perContainer} 100m, but request is 0, cpu max limit to request ratio ${perContainer} 4, but no request is specified or request is 0]`,
      ),
      pod('g', cpu('300m', '1')),
      resize(
        'g',
        { requests: { cpu: '50m' }, limits: { cpu: '100m' } },
        `minimum cpu usage ${perContainer} 100m, but request is 50m`,
      ),
      resize('g', { requests: { cpu: '400m' } }),
      change('pods/g', { metadata: { labels: { a: 'b' } } }),
    ],
  },
  'limits of pods': {
    ranges: [{ type: 'Pod', min: { memory: '100Mi' }, max: { memory: '1Gi' }, maxLimitRequestRatio: { memory: '2' } }],
    steps: [
      pod(
        'a',
        of(),
        `[minimum memory usage ${perPod} 100Mi.  No request is specified, maximum memory usage ${perPod} 1Gi.  No limit is specified, memory max limit to request ratio ${perPod} 2, but no request is specified or request is 0]`,
      ),
      pod(
        'b',
        of({ memory: '80Mi' }),
        `[minimum memory usage ${perPod} 100Mi, but request is 80Mi, maximum memory usage ${perPod} 1Gi.  No limit is specified, memory max limit to request ratio ${perPod} 2, but no limit is specified or limit is 0]`,
      ),
      pod(
        'c',
        memory('100Mi', '150Mi'),
        `maximum memory usage ${perPod} 1Gi, but limit is 1100Mi`,
        init({ ...memory('500Mi'), restartPolicy: 'Always' }, memory('600Mi')),
      ),
      pod('d', of(), `memory max limit to request ratio ${perPod} 2, but provided ratio is 2.048000`, {
        resources: { requests: { memory: '500Mi' }, limits: { memory: '1Gi' } },
      }),
      pod('e', memory('500Mi')),
    ],
  },
  'limits of claims': {
    ranges: [{ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '5Gi' } }],
    steps: [
      claim('a', '500Mi', 'minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi'),
      claim('b', '10Gi', 'maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 10Gi'),
      claim('c', '2Gi'),
    ],
  },
  'a quota of pods': {
    quotas: { q: { hard: { pods: '3', 'requests.cpu': '1', 'limits.memory': '1Gi', cpu: '1', memory: '2Gi' } } },
    steps: [
      pod(
        'a',
        of(),
        'failed quota: q: must specify cpu for: a; limits.memory for: a; memory for: a; requests.cpu for: a',
      ),
      pod(
        'a',
        of({ cpu: '1' }),
        'failed quota: q: must specify cpu for: i0; limits.memory for: a,i0; memory for: a,i0; requests.cpu for: i0',
        init(of()),
      ),
      pod('a', of({ cpu: '100m', memory: '1Mi' }, { memory: '1Mi' })),
      pod(
        'b',
        of({ cpu: '600m', memory: '1Gi' }, { memory: '1Gi' }),
        exceeded('q', 'limits.memory=1Gi', 'limits.memory=1Mi', 'limits.memory=1Gi'),
      ),
      {
        ...pod(
          'b',
          of({ cpu: '5', memory: '1' }, { memory: '1' }),
          exceeded('q', 'cpu=5,requests.cpu=5', 'cpu=100m,requests.cpu=100m', 'cpu=1,requests.cpu=1'),
        ),
        path: 'pods?dryRun=All',
      },
      { ...pod('b', of({ cpu: '1m', memory: '1' }, { memory: '1' })), path: 'pods?dryRun=All' },
      // Where the pod speaks as a whole its containers need not.
      pod('b', of(), {}, { resources: { requests: { cpu: '300m', memory: '1Mi' }, limits: { memory: '3Mi' } } }),
    ],
    used: { pods: '2', 'requests.cpu': '400m', 'limits.memory': '4Mi', cpu: '400m', memory: '2Mi' },
  },
  'a quota of other resources of nodes': {
    quotas: { q: { hard: { 'requests.example.com/gpu': '3', 'hugepages-2Mi': '4Mi' } } },
    steps: [
      pod('a', of({ 'example.com/gpu': '2' }, { 'example.com/gpu': '2' })),
      pod(
        'b',
        of(undefined, { 'example.com/gpu': '2' }),
        exceeded('q', 'requests.example.com/gpu=2', 'requests.example.com/gpu=2', 'requests.example.com/gpu=3'),
      ),
      pod('c', of({ cpu: '1' }, { cpu: '1', 'hugepages-2Mi': '2Mi' })),
      pod(
        'd',
        of({ cpu: '1' }, { cpu: '1', 'hugepages-2Mi': '4Mi' }),
        exceeded('q', 'hugepages-2Mi=4Mi', 'hugepages-2Mi=2Mi', 'hugepages-2Mi=4Mi'),
      ),
    ],
  },
  'a pod that is resized': {
    quotas: { q: { hard: { 'requests.cpu': '1', 'limits.cpu': '2' } } },
    steps: [
      pod('a', cpu('500m', '1')),
      resize('a', { requests: { cpu: '800m' } }),
      resize('a', { limits: { cpu: '3' } }, exceeded('q', 'limits.cpu=2', 'limits.cpu=1', 'limits.cpu=2')),
    ],
    used: { 'requests.cpu': '800m', 'limits.cpu': '1' },
  },
  'a quota of services': {
    quotas: { q: { hard: { services: '3', 'services.nodeports': '3', 'services.loadbalancers': '1' } } },
    steps: [
      service('a', {}),
      service('b', { type: 'NodePort' }),
      service(
        'c',
        { type: 'NodePort' },
        exceeded('q', 'services.nodeports=2', 'services.nodeports=2', 'services.nodeports=3'),
      ),
      service('d', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }),
      change(
        'services/a',
        { spec: { type: 'LoadBalancer' } },
        exceeded(
          'q',
          'services.loadbalancers=1,services.nodeports=2',
          'services.loadbalancers=1,services.nodeports=2',
          'services.loadbalancers=1,services.nodeports=3',
        ),
      ),
      service('e', {}, exceeded('q', 'services=1', 'services=3', 'services=3')),
    ],
    used: { services: '3', 'services.nodeports': '2', 'services.loadbalancers': '1' },
  },
  'a quota of claims': {
    quotas: {
      q: { hard: { persistentvolumeclaims: '3', 'requests.storage': '10Gi', [`${OF_GOLD}/requests.storage`]: '5Gi' } },
    },
    steps: [
      claim('a', '4Gi', {}, { storageClassName: 'gold' }),
      claim(
        'b',
        '6Gi',
        exceeded(
          'q',
          `${OF_GOLD}/requests.storage=6Gi`,
          `${OF_GOLD}/requests.storage=4Gi`,
          `${OF_GOLD}/requests.storage=5Gi`,
        ),
        { storageClassName: 'gold' },
      ),
      claim('c', '7Gi', exceeded('q', 'requests.storage=7Gi', 'requests.storage=4Gi', 'requests.storage=10Gi')),
      // What a resize has come to is noted, however much it is.
      change('persistentvolumeclaims/a/status', { status: { allocatedResources: { storage: '20Gi' } } }),
    ],
    used: { persistentvolumeclaims: '1', 'requests.storage': '20Gi', [`${OF_GOLD}/requests.storage`]: '20Gi' },
  },
  'a quota of numbers': {
    quotas: {
      q: {
        hard: {
          configmaps: '2',
          'count/configmaps': '3',
          resourcequotas: '1',
          'count/leases.coordination.k8s.io': '0',
        },
      },
    },
    steps: [
      map('a'),
      map('b', {}, '?dryRun=All'),
      map('b'),
      map('c', exceeded('q', 'configmaps=1', 'configmaps=2', 'configmaps=2')),
    ],
    used: { configmaps: '2', 'count/configmaps': '2', resourcequotas: '0', 'count/leases.coordination.k8s.io': '0' },
  },
  'what is used is not known': {
    quotas: { q: { hard: { pods: '1', 'count/pods': '1' }, unknown: true } },
    steps: [pod('a', of(), 'status unknown for quota: q, resources: count/pods,pods'), map('a')],
  },
  'quotas of pods that end and that do not': {
    quotas: {
      ending: { hard: { pods: '1' }, scopes: ['Terminating'] },
      lasting: { hard: { pods: '1', 'requests.cpu': '1' }, scopes: ['NotTerminating'] },
    },
    steps: [
      pod('a', of({ cpu: '500m' })),
      pod('b', of({ cpu: '1m' }), onePod('lasting')),
      pod('c', of(), {}, { activeDeadlineSeconds: 100 }),
      change('pods/a', { spec: { activeDeadlineSeconds: 5 } }, onePod('ending')),
    ],
    used: { pods: '1' },
  },
  'quotas of pods that say what they need and that do not': {
    quotas: {
      best: { hard: { pods: '1' }, scopes: ['BestEffort'] },
      other: { hard: { pods: '1', 'limits.cpu': '1' }, scopes: ['NotBestEffort'] },
    },
    steps: [
      pod('a', of()),
      pod('b', of(), onePod('best')),
      pod('c', of({ cpu: '1m' }), 'failed quota: other: must specify limits.cpu for: a'),
      pod('d', cpu('1')),
      pod('e', cpu('1m'), exceeded('other', 'limits.cpu=1m,pods=1', 'limits.cpu=1,pods=1', 'limits.cpu=1,pods=1')),
    ],
  },
  'quotas of priorities': {
    quotas: {
      high: { hard: { pods: '1' }, ...scoped('In', [CRITICAL]) },
      other: { hard: { pods: '1' }, ...scoped('NotIn', [CRITICAL]) },
    },
    steps: [
      pod('a', of(), {}, { priorityClassName: CRITICAL }),
      pod('b', of(), onePod('high'), { priorityClassName: CRITICAL }),
      pod('c', of(), {}, { priorityClassName: 'system-cluster-critical' }),
      pod('d', of(), onePod('other')),
    ],
  },
  'a quota of claims of a class': {
    quotas: { q: { hard: { persistentvolumeclaims: '1' }, ...scoped('In', ['fast'], 'VolumeAttributesClass') } },
    steps: [
      claim('a', '1Gi', {}, { volumeAttributesClassName: 'fast' }),
      claim(
        'b',
        '1Gi',
        exceeded('q', 'persistentvolumeclaims=1', 'persistentvolumeclaims=1', 'persistentvolumeclaims=1'),
        { volumeAttributesClassName: 'fast' },
      ),
      claim('c', '1Gi'),
    ],
  },
  'limits and a quota': {
    ranges: [{ type: 'Container', default: { cpu: '500m' } }],
    quotas: { q: { hard: { 'requests.cpu': '700m' } } },
    steps: [
      pod('a', of()),
      pod('b', of(), exceeded('q', 'requests.cpu=500m', 'requests.cpu=500m', 'requests.cpu=700m')),
      pod('c', of({ cpu: '100m' })),
    ],
    used: { 'requests.cpu': '600m' },
  },
}

let server: TestApiServer
let call: Call
before(async () => {
  server = await startTestApiServer()
  call = caller(server)
})
after(() => server.stop())

describe('limits and quotas, as upstream has them', () => {
  for (const [index, [name, story]] of Object.entries(stories).entries()) it(name, () => run(`story-${index}`, story))
})

async function run(namespace: string, { ranges = [], quotas = {}, steps, used }: Story): Promise<void> {
  const inside = `/api/v1/namespaces/${namespace}`
  await call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } })
  await makeServiceAccount(call, namespace)
  if (ranges.length) await post(`${inside}/limitranges`, { metadata: { name: 'r' }, spec: { limits: ranges } })
  for (const [name, { unknown, ...spec }] of Object.entries(quotas)) await makeQuota(namespace, name, spec, !unknown)
  for (const { method = 'POST', path, body, message, noted, needs } of steps) {
    const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json'
    const { status, json, text } = await call(method, `${inside}/${path}`, { body, type })
    if (message) {
      const [, name] = /(?:"name":|\/)"?([a-z])/.exec(method === 'PATCH' ? path : JSON.stringify(body))!
      assert.equal(json.message, `${json.details.kind} "${name}" is forbidden: ${message}`)
      assert.equal(status, 403)
      continue
    }
    assert.ok(status < 300, text)
    if (noted) assert.equal(json.metadata.annotations['kubernetes.io/limit-ranger'], `LimitRanger plugin set: ${noted}`)
    const found = noted && [...json.spec.containers, ...(json.spec.initContainers ?? [])].map(each => each.resources)
    if (needs) assert.deepEqual(found, needs)
  }
  const [first] = (await call('GET', `${inside}/resourcequotas`)).json.items
  if (used) assert.deepEqual(first.status.used, used)
}

async function post(path: string, body: object) {
  const { status, json, text } = await call('POST', path, { body })
  assert.equal(status, 201, text)
  return json
}

/** A quota, with what its controller says of it: that nothing is used, or nothing at all. */
async function makeQuota(namespace: string, name: string, spec: { hard: Amounts }, known = true): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/resourcequotas`
  const made = await post(path, { metadata: { name }, spec })
  const used = Object.fromEntries(Object.keys(spec.hard).map(resource => [resource, '0']))
  const status = { hard: spec.hard, ...(known ? { used } : {}) }
  assert.equal((await call('PUT', `${path}/${name}/status`, { body: { ...made, status } })).status, 200)
}

it('however many ask at once, and whichever server, no more is made than there may be', async t => {
  const second = await server.another()
  t.after(() => second.stop())
  const servers = [call, caller({ ...server, port: second.port })]
  await call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'crowd' } } })
  await makeQuota('crowd', 'a', { hard: { configmaps: '20' } })
  await makeQuota('crowd', 'b', { hard: { configmaps: '15' } })
  const path = '/api/v1/namespaces/crowd/configmaps'
  // The other server hears of quotas a moment later.
  await eventually(async () => {
    const { status } = await servers[1]!('POST', `${path}?dryRun=All`, { body: { metadata: { name: 'x' } } })
    return status === 201
  })
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      servers[index % 2]!('POST', path, { body: { metadata: { name: `m-${index}` } } }),
    ),
  )
  const made = answers.filter(({ status }) => status === 201)
  assert.equal(made.length, 15)
  assert.ok(answers.every(({ status }) => status === 201 || status === 403))
  assert.equal((await call('GET', path)).json.items.length, 15)
  const { items } = (await call('GET', '/api/v1/namespaces/crowd/resourcequotas')).json
  assert.deepEqual(
    items.map(({ status }: { status: object }) => status),
    [
      { hard: { configmaps: '20' }, used: { configmaps: '15' } },
      { hard: { configmaps: '15' }, used: { configmaps: '15' } },
    ],
  )
})
