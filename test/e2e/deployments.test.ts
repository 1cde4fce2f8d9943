import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { apps, core } from '../../src/api/index.ts'
import { run, startTestCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { firstProcessOf } from '../support/host.ts'
import { DEMO, follow, getPods, kubectlCommand, refused } from '../support/kubectl.ts'

let cluster: TestCluster
let scratch: string
before(async () => {
  cluster = await startTestCluster()
  scratch = mkdtempSync(join(tmpdir(), 'k8ts-deployments-'))
})
after(async () => {
  rmSync(scratch, { recursive: true, force: true })
  await cluster.purge()
})

const getDeployment = (name: string) => cluster.json<apps.Deployment>('get', 'deployment', name)
const rolledOut = (name: string) => cluster.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=90s')
const names = (pods: core.Pod[]) => pods.map(pod => pod.metadata.name).sort()
const images = (pods: core.Pod[]) => [...new Set(pods.map(pod => pod.spec?.containers[0]?.image))]
const isLeaving = (pod: core.Pod) => pod.metadata.deletionTimestamp !== undefined

/** The pods of `app=NAME`, as soon as no other is left than `count` Ready ones. */
function settled(name: string, count: number): Promise<core.Pod[]> {
  return eventually(async () => {
    const pods = await getPods(cluster, `app=${name}`)
    const ready = pods.filter(pod => pod.status?.conditions?.some(one => one.type === 'Ready' && one.status === 'True'))
    assert.equal(pods.some(isLeaving), false)
    assert.deepEqual([pods.length, ready.length], [count, count])
    return pods
  }, 60_000)
}

async function revisions(name: string): Promise<string[]> {
  const history = await cluster.kubectl('rollout', 'history', `deployment/${name}`)
  return [...history.matchAll(/^(\d+)\s/gm)].map(([, revision = '']) => revision)
}

/** The rows of a table that kubectl printed, each a list of its cells. */
function rows(table: string): string[][] {
  const lines = table.trim().split('\n').slice(1)
  return lines.map(line => line.split(/\s{2,}/))
}

test('create deployment starts three containers', async () => {
  const created = await cluster.kubectl('create', 'deployment', 'web', `--image=${DEMO}`, '--replicas=3')
  assert.equal(created, 'deployment.apps/web created\n')
  assert.match(await rolledOut('web'), /deployment "web" successfully rolled out/)
  assert.match(await cluster.kubectl('get', 'deployment', 'web'), /^web +3\/3 +3 +3 +\d+s$/m)
  assert.match(await cluster.kubectl('get', 'replicasets'), /^web-[a-z0-9]+ +3 +3 +3 +\d+s$/m)
})

test('get pods -o wide shows each with an address of its own on the node', async () => {
  const table = await cluster.kubectl('get', 'pods', '--selector=app=web', '--output=wide')
  assert.match(
    table,
    /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/,
    'the columns of kubectl get pods -o wide',
  )
  const node = (await cluster.kubectl('get', 'nodes', '--output=jsonpath={.items[0].metadata.name}')).trim()
  const cidr = await cluster.kubectl('get', 'nodes', '--output=jsonpath={.items[0].spec.podCIDR}')
  const network = cidr.replace(/\.0\/24$/, '.')
  const cells = rows(table)
  assert.equal(cells.length, 3)
  for (const [name, ready, status, restarts, , address, onNode] of cells) {
    assert.match(name ?? '', /^web-[a-z0-9]+-[a-z0-9]{5}$/)
    assert.deepEqual([ready, status, restarts, onNode], ['1/1', 'Running', '0', node])
    assert.ok(address?.startsWith(network), `${address} is in ${cidr}`)
  }
  assert.equal(new Set(cells.map(cell => cell[5])).size, 3, 'each its own address')
})

test('get events shows how a Deployment became running containers', async () => {
  const { items } = await cluster.json<{ items: core.Event[] }>('get', 'events')
  const [pod] = await getPods(cluster, 'app=web')
  const replicaSet = pod?.metadata.ownerReferences?.[0]?.name
  const about = (kind: string, name = '') =>
    items
      .filter(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name)
      .map(({ reason, message }) => `${reason}: ${message}`)
  assert.deepEqual(about('Deployment', 'web'), [`ScalingReplicaSet: Scaled up replica set ${replicaSet} from 0 to 3`])
  assert.ok(about('ReplicaSet', replicaSet).includes(`SuccessfulCreate: Created pod: ${pod?.metadata.name}`))
  assert.deepEqual(about('Pod', pod?.metadata.name).sort(), [
    'Created: Container created',
    `Pulled: Container image "${DEMO}" already present on machine and can be accessed by the pod`,
    `Scheduled: Successfully assigned default/${pod?.metadata.name} to ${pod?.spec?.nodeName}`,
    'Started: Container started',
  ])
})

test('describe tells the whole story', async () => {
  const deployment = await cluster.kubectl('describe', 'deployment', 'web')
  assert.match(deployment, /^Replicas: +3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable$/m)
  assert.match(deployment, /^RollingUpdateStrategy: +25% max unavailable, 25% max surge$/m)
  assert.match(deployment, /^NewReplicaSet: +web-[a-z0-9]+ \(3\/3 replicas created\)$/m)
  assert.match(deployment, /ScalingReplicaSet .* Scaled up replica set web-[a-z0-9]+ from 0 to 3/)
  const [pod] = await getPods(cluster, 'app=web')
  const description = await cluster.kubectl('describe', 'pod', pod?.metadata.name ?? '')
  assert.match(description, /^Controlled By: +ReplicaSet\/web-/m)
  assert.match(description, /^QoS Class: +BestEffort$/m)
  assert.match(description, /\/var\/run\/secrets\/kubernetes.io\/serviceaccount from kube-api-access-\w+ \(ro\)/)
  // The kubelet may be faster than the scheduler's own word of it, and a second is as fine as events tell time.
  assert.match(description, /Normal +Scheduled .* default-scheduler +Successfully assigned default\/web-/)
  assert.match(description, /Normal +Pulled [\s\S]*Normal +Created [\s\S]*Normal +Started /)
  const node = await cluster.kubectl('describe', 'node')
  assert.match(node, new RegExp(`default +${pod?.metadata.name} +0 \\(0%\\)`))
})

test('explain knows the fields', async () => {
  const containers = await cluster.kubectl('explain', 'pod.spec.containers')
  assert.match(containers, /^KIND: +Pod\nVERSION: +v1\n\nFIELD: containers <\[\]Container>\n/)
  assert.match(containers, /^DESCRIPTION:\n {4}\w+/m)
  assert.match(containers, /^ {2}imagePullPolicy\t<string>\n {2}enum: Always, IfNotPresent, Never\n {4}\w+/m)
  assert.match(containers, /^ {2}name\t<string> -required-$/m)
  const replicas = await cluster.kubectl('explain', 'deployment.spec.replicas')
  assert.match(replicas, /^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nFIELD: replicas <integer>\n/)
  assert.match(await refused(cluster, 'explain', 'pod.spec.nonsense'), /field "nonsense" does not exist/)
})

test('a pod that is deleted is replaced', async () => {
  const [victim, ...others] = await settled('web', 3)
  await cluster.kubectl('delete', 'pod', victim?.metadata.name ?? '')
  const pods = await settled('web', 3)
  assert.equal(names(pods).includes(victim?.metadata.name ?? ''), false)
  for (const other of others) assert.ok(names(pods).includes(other.metadata.name))
})

test('a container whose process is killed on the host is restarted in its pod', async () => {
  const [victim] = await settled('web', 3)
  const name = victim?.metadata.name ?? ''
  const before = victim?.status?.containerStatuses?.[0]
  process.kill(firstProcessOf(before?.containerID), 'SIGKILL')
  const after = await eventually(async () => {
    const pod = await cluster.json<core.Pod>('get', 'pod', name)
    const [status] = pod.status?.containerStatuses ?? []
    assert.equal(status?.restartCount, 1)
    assert.ok(status.ready)
    return { pod, status }
  })
  assert.equal(after.pod.metadata.uid, victim?.metadata.uid)
  assert.equal(after.pod.status?.podIP, victim?.status?.podIP, 'the pod keeps its sandbox')
  assert.notEqual(after.status.containerID, before?.containerID)
  const ended = after.status.lastState?.terminated
  assert.deepEqual([ended?.exitCode, ended?.reason, ended?.containerID], [137, 'Error', before?.containerID])
  assert.match(await cluster.kubectl('get', 'pod', name), /1\/1 +Running +1 \(\d+s ago\)/)
})

test('scale adds and removes pods', async () => {
  const original = names(await settled('web', 3))
  assert.equal(await cluster.kubectl('scale', 'deployment', 'web', '--replicas=5'), 'deployment.apps/web scaled\n')
  const more = names(await settled('web', 5))
  for (const name of original) assert.ok(more.includes(name), 'scaling up replaces none')
  await cluster.kubectl('scale', 'deployment', 'web', '--replicas=2')
  await settled('web', 2)
  assert.match(
    await refused(cluster, 'scale', 'deployment', 'web', '--current-replicas=5', '--replicas=1'),
    /Expected replicas to be 5, was 2/,
  )
  await settled('web', 2)
})

test('set image rolls the pods over, never too few and never too many', async () => {
  await cluster.kubectl('scale', 'deployment', 'web', '--replicas=4')
  await settled('web', 4)
  const fields = '--output=jsonpath={.status.replicas} {.status.availableReplicas}{"\\n"}'
  const counts = await follow(cluster, 'get', 'deployment', 'web', '--watch', fields)
  try {
    await counts.until(/^4 4\n/)
    await cluster.kubectl('set', 'image', 'deployment/web', 'demo=k8ts.local/demo:v2')
    assert.match(await rolledOut('web'), /successfully rolled out/)
  } finally {
    await counts.stop()
  }
  assert.deepEqual(images(await settled('web', 4)), ['k8ts.local/demo:v2'])
  const seen = counts.output().trim().split('\n')
  assert.ok(seen.length > 2, 'the rollout was watched')
  for (const line of seen) {
    const [total = 0, available = 0] = line.split(' ').map(Number)
    assert.ok(total <= 5 && available >= 3, `${line}: at most 25% more, at least 75% available`)
  }
})

test('rollout history and undo', async () => {
  assert.deepEqual(await revisions('web'), ['1', '2'])
  const second = await cluster.kubectl('rollout', 'history', 'deployment/web', '--revision=2')
  assert.match(second, /Image:\s+k8ts.local\/demo:v2/)
  assert.equal(await cluster.kubectl('rollout', 'undo', 'deployment/web'), 'deployment.apps/web rolled back\n')
  await rolledOut('web')
  assert.deepEqual(images(await settled('web', 4)), [DEMO])
  assert.deepEqual(await revisions('web'), ['2', '3'], 'the revision that was gone back to is the newest now')
  await cluster.kubectl('rollout', 'undo', 'deployment/web', '--to-revision=2')
  await rolledOut('web')
  assert.deepEqual(images(await settled('web', 4)), ['k8ts.local/demo:v2'])
  assert.match(
    await refused(cluster, 'rollout', 'undo', 'deployment/web', '--to-revision=99'),
    /unable to find specified revision 99 in history/,
  )
})

test('a paused deployment waits with its rollout until it is resumed', async () => {
  await cluster.kubectl('rollout', 'pause', 'deployment/web')
  await cluster.kubectl('set', 'image', 'deployment/web', `demo=${DEMO}`)
  const paused = await eventually(async () => {
    const deployment = await getDeployment('web')
    assert.equal(deployment.status?.observedGeneration, deployment.metadata.generation)
    return deployment
  })
  assert.equal(paused.status?.updatedReplicas ?? 0, 0)
  assert.ok(paused.status?.conditions?.some(({ reason }) => reason === 'DeploymentPaused'))
  assert.deepEqual(images(await settled('web', 4)), ['k8ts.local/demo:v2'])
  await cluster.kubectl('rollout', 'resume', 'deployment/web')
  await rolledOut('web')
  assert.deepEqual(images(await settled('web', 4)), [DEMO])
})

test('rollout restart replaces every pod', async () => {
  const old = names(await settled('web', 4))
  await cluster.kubectl('rollout', 'restart', 'deployment/web')
  await rolledOut('web')
  const fresh = names(await settled('web', 4))
  assert.deepEqual(
    fresh.filter(name => old.includes(name)),
    [],
  )
})

test('edit changes the object through the user’s editor', async () => {
  const edited = await edit('sed -i "s/^  replicas: 4$/  replicas: 3/"')
  assert.equal(edited.stdout, 'deployment.apps/web edited\n')
  await settled('web', 3)
  const unchanged = await edit('true')
  assert.equal(unchanged.stdout + unchanged.stderr, 'Edit cancelled, no changes made.\n')
  const wrong = await edit('sed -i "s/^  replicas: 3$/  replicas: many/"')
  assert.notEqual(wrong.code, 0)
  assert.equal((await getDeployment('web')).spec?.replicas, 3)
})

/** `kubectl edit deployment web` in an editor that runs the command on the file. */
async function edit(command: string) {
  const editor = join(scratch, 'editor')
  writeFileSync(editor, `#!/bin/sh\n${command} "$1"\n`)
  chmodSync(editor, 0o755)
  const [kubectl, config] = await kubectlCommand(cluster)
  return run('env', [`KUBE_EDITOR=${editor}`, kubectl, config, 'edit', 'deployment', 'web'])
}

test('a rollout that cannot go on leaves the old pods and says why', async () => {
  const old = names(await settled('web', 3))
  await cluster.kubectl('patch', 'deployment', 'web', '--patch={"spec":{"progressDeadlineSeconds":3}}')
  await cluster.kubectl('set', 'image', 'deployment/web', 'demo=k8ts.local/nowhere:v1')
  assert.match(
    await refused(cluster, 'rollout', 'status', 'deployment/web', '--timeout=60s'),
    /deployment "web" exceeded its progress deadline/,
  )
  const deployment = await getDeployment('web')
  const progressing = deployment.status?.conditions?.find(({ type }) => type === 'Progressing')
  assert.deepEqual([progressing?.status, progressing?.reason], ['False', 'ProgressDeadlineExceeded'])
  const current = names(await getPods(cluster, 'app=web'))
  for (const name of old) assert.ok(current.includes(name), `${name} still runs`)
  await cluster.kubectl('rollout', 'undo', 'deployment/web')
  await rolledOut('web')
  assert.deepEqual(names(await settled('web', 3)), old)
})

test('apply -f of a directory makes everything, and a second time changes nothing', async () => {
  const directory = join(scratch, 'shop')
  writeShop(directory)
  const all = ['namespace/shop', 'configmap/settings', 'service/front', 'deployment.apps/front']
  const applied = (outcome: string) => all.map(name => `${name} ${outcome}\n`).join('')
  assert.equal(await cluster.kubectl('apply', '--filename', directory), applied('created'))
  await cluster.kubectl('rollout', 'status', 'deployment/front', '--namespace=shop', '--timeout=60s')
  const generation = '--output=jsonpath={.metadata.generation} {.metadata.resourceVersion}'
  const before = await cluster.kubectl('get', 'deployment', 'front', '--namespace=shop', generation)
  assert.equal(await cluster.kubectl('apply', '--filename', directory), applied('unchanged'))
  assert.equal(await cluster.kubectl('get', 'deployment', 'front', '--namespace=shop', generation), before)
  assert.equal(await cluster.kubectl('diff', '--filename', directory), '')
})

test('apply changes what changed in the file and removes what is gone from it', async () => {
  const directory = join(scratch, 'shop')
  writeFileSync(join(directory, '20-config.yaml'), CONFIG.replace('currency: EUR\n  colour: red', 'currency: USD'))
  const output = await cluster.kubectl('apply', '--filename', directory)
  assert.match(output, /^configmap\/settings configured$/m)
  assert.match(output, /^deployment.apps\/front unchanged$/m)
  const settings = await cluster.json<core.ConfigMap>('get', 'configmap', 'settings', '--namespace=shop')
  assert.deepEqual(settings.data, { currency: 'USD' })
})

test('apply of what get has printed changes nothing', async () => {
  const printed = await cluster.kubectl('get', 'configmaps,services', '--namespace=shop', '--output=yaml')
  assert.match(printed, /^kind: List$/m)
  const output = await cluster.kubectlWith(printed, 'apply', '--filename=-')
  assert.match(output, /^configmap\/settings configured$/m)
})

test('delete -f of the directory removes everything, the namespace with what else is in it', async () => {
  await cluster.kubectl('create', 'secret', 'generic', 'other', '--namespace=shop', '--from-literal=key=value')
  await cluster.kubectl('delete', '--filename', join(scratch, 'shop'), '--timeout=60s')
  assert.match(await refused(cluster, 'get', 'namespace', 'shop'), /namespaces "shop" not found/)
  assert.equal(await cluster.kubectl('get', 'pods,secrets', '--all-namespaces', '--output=name'), await everyPod())
})

const everyPod = () => cluster.kubectl('get', 'pods', '--selector=app=web', '--output=name')

const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
data:
  currency: EUR
  colour: red
`

function writeShop(directory: string): void {
  mkdirSync(directory)
  const write = (file: string, text: string) => writeFileSync(join(directory, file), text)
  write('10-namespace.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n')
  write('20-config.yaml', CONFIG)
  write(
    '30-front.yaml',
    `apiVersion: v1
kind: Service
metadata:
  name: front
  namespace: shop
spec:
  selector: {app: front}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: front
  namespace: shop
spec:
  selector:
    matchLabels: {app: front}
  template:
    metadata:
      labels: {app: front}
    spec:
      containers:
      - name: demo
        image: ${DEMO}
        envFrom: [{configMapRef: {name: settings}}]
        ports: [{containerPort: 8080}]
`,
  )
}

test('delete --cascade=orphan leaves the pods, which a new deployment adopts', async () => {
  const pods = names(await settled('web', 3))
  const manifest = await cluster.kubectl('get', 'deployment', 'web', '--output=yaml')
  await cluster.kubectl('delete', 'deployment', 'web', '--cascade=orphan')
  assert.match(await refused(cluster, 'get', 'deployment', 'web'), /deployments.apps "web" not found/)
  assert.deepEqual(names(await settled('web', 3)), pods)
  await cluster.kubectlWith(manifest.replace(/^ {2}(resourceVersion|uid): .*\n/gm, ''), 'create', '--filename=-')
  await rolledOut('web')
  assert.deepEqual(names(await settled('web', 3)), pods)
})

test('delete removes the deployment, its replica sets and its pods', async () => {
  assert.equal(
    await cluster.kubectl('delete', 'deployment', 'web'),
    'deployment.apps "web" deleted from default namespace\n',
  )
  const left = () => cluster.kubectl('get', 'replicasets,pods', '--selector=app=web', '--output=name')
  await eventually(async () => assert.equal(await left(), ''), 60_000)
})

test('delete --cascade=foreground returns when the pods are gone', async () => {
  await cluster.kubectl('create', 'deployment', 'short', `--image=${DEMO}`, '--replicas=2')
  await rolledOut('short')
  await cluster.kubectl('delete', 'deployment', 'short', '--cascade=foreground', '--timeout=60s')
  assert.equal(await cluster.kubectl('get', 'replicasets,pods', '--selector=app=short', '--output=name'), '')
})
