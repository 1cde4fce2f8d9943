import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { K8TS, newCluster, run, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

interface Status {
  running: boolean
  components: { name: string; health: string; pid?: number; restarts: number; log: string }[]
}

interface Pods {
  items: {
    metadata: { name: string; uid: string }
    spec: { containers: { image: string }[] }
    status: { containerStatuses?: { restartCount: number }[] }
  }[]
}

let cluster: TestCluster
before(async () => {
  cluster = await newCluster()
})
after(() => cluster.purge())

const status = async (): Promise<Status> => {
  const { stdout } = await run(K8TS, ['status', `--name=${cluster.name}`, '-o', 'json'])
  return JSON.parse(stdout)
}

const pidOf = async (component: string): Promise<number> => {
  const found = (await status()).components.find(({ name }) => name === component)
  assert.ok(found?.pid, `${component} runs`)
  return found.pid
}

/** Every process, device, table, mount and cgroup that bears the cluster's name. */
async function traces(): Promise<string[]> {
  const mine = (text: string) => text.includes(cluster.name)
  const commands = readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .map(pid => readCommand(pid))
    // This very test and what it calls name the cluster too.
    .filter(command => mine(command) && !command.includes('--purge'))
  const lines = async (program: string, ...args: string[]) => (await run(program, args)).stdout.split('\n').filter(mine)
  return [
    ...commands,
    ...(await lines('ip', '-brief', 'link')),
    ...(await lines('nft', 'list', 'tables')),
    ...readFileSync('/proc/self/mounts', 'utf8').split('\n').filter(mine),
    ...globSync(`/sys/fs/cgroup/{k8ts,*/k8ts}/${cluster.name}`),
    ...[cluster.dataDirectory, `/run/k8ts/${cluster.name}`].filter(path => existsSync(path)),
  ]
}

function readCommand(pid: string): string {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

test('up starts a cluster whose node is Ready', async () => {
  const output = await cluster.k8ts('up')
  assert.match(output, /Node \S+ is Ready/)
  assert.match(output, /kubectl create deployment/)
  assert.match(await cluster.kubectl('get', 'nodes'), /\sReady\s/)
  assert.equal((await cluster.kubectl('config', 'current-context')).trim(), cluster.name)
})

test('status shows every component as healthy', async () => {
  const { running, components } = await status()
  assert.ok(running)
  assert.deepEqual(
    components.map(({ name, health }) => [name, health]),
    [
      'supervisor',
      'containerd',
      'apiserver',
      'controller-manager',
      'scheduler',
      'kubelet',
      'network',
      'proxy',
      'dns',
    ].map(name => [name, 'healthy']),
  )
  for (const { log } of components) assert.ok(existsSync(log), log)
})

test('up of a running cluster does nothing and says so', async () => {
  const before = await status()
  assert.match(await cluster.k8ts('up'), /already running/)
  assert.deepEqual(await status(), before)
})

test('whatever is killed during a rollout comes back, no pod is lost or doubled, and no running container restarted', async () => {
  await cluster.kubectl('create', 'deployment', 'web', '--image=k8ts.local/demo:v1', '--replicas=3')
  await cluster.kubectl('create', 'deployment', 'still', '--image=k8ts.local/demo:v1', '--replicas=2')
  const rolledOut = (name: string) => cluster.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=60s')
  await Promise.all([rolledOut('web'), rolledOut('still')])
  const pods = async (app: string) => (await cluster.json<Pods>('get', 'pods', `--selector=app=${app}`)).items
  const uids = async (app: string) => (await pods(app)).map(({ metadata }) => metadata.uid).sort()
  const before = await uids('still')
  await cluster.kubectl('set', 'image', 'deployment/web', 'demo=k8ts.local/demo:v2')
  for (const component of ['scheduler', 'kubelet', 'containerd', 'proxy', 'apiserver']) {
    const pid = await pidOf(component)
    process.kill(pid, 'SIGKILL')
    await eventually(async () => {
      const found = (await status()).components.find(({ name }) => name === component)
      return found?.health === 'healthy' && found.pid !== pid
    })
  }
  await rolledOut('web')
  await eventually(async () => assert.equal((await pods('web')).length, 3))
  for (const pod of await pods('web')) assert.equal(pod.spec.containers[0]?.image, 'k8ts.local/demo:v2')
  assert.deepEqual(await uids('still'), before)
  // A container that was just being started when the runtime died may need a second attempt; a running one may not.
  for (const pod of await pods('still')) {
    assert.equal(pod.status.containerStatuses?.[0]?.restartCount, 0, pod.metadata.name)
  }
})

test('after down, up finds the same objects again', async () => {
  const uid = async () =>
    (await cluster.kubectl('get', 'deployment', 'web', '--output=jsonpath={.metadata.uid}')).trim()
  const before = await uid()
  await cluster.k8ts('down')
  const stopped = await status()
  assert.equal(stopped.running, false)
  assert.ok(stopped.components.every(({ health }) => health === 'stopped'))
  await cluster.k8ts('up')
  assert.equal(await uid(), before)
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s')
})

test('what a killed supervisor has left is taken over by the next up', async () => {
  process.kill(await pidOf('supervisor'), 'SIGKILL')
  await eventually(async () => (await status()).running === false)
  await cluster.k8ts('up')
  assert.ok((await status()).components.every(({ health }) => health === 'healthy'))
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s')
})

test('purge leaves nothing', async () => {
  assert.notEqual((await traces()).length, 0, 'the search finds a running cluster')
  await cluster.k8ts('down', '--purge')
  await eventually(async () => assert.deepEqual(await traces(), []), 5_000)
  assert.doesNotMatch(readFileSync(cluster.kubeconfig, 'utf8'), new RegExp(cluster.name))
})

test('down without a cluster says so', async () => {
  assert.match(await cluster.k8ts('down'), /nothing to do/)
})
