import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { apps, core } from '../../src/api/index.ts'
import { K8TS, run, startTestCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { containersRunning, firstProcessOf } from '../support/host.ts'
import { DEMO, getPods } from '../support/kubectl.ts'

/** Pods of the deployment that is rolled over while something dies. */
const REPLICAS = 4

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
  await cluster.kubectl('create', 'deployment', 'steady', `--image=${DEMO}`, '--replicas=2')
  await cluster.kubectl('create', 'deployment', 'web', `--image=${DEMO}`, `--replicas=${REPLICAS}`)
  await cluster.kubectl('expose', 'deployment', 'steady', '--port=80', '--target-port=8080')
  for (const name of ['steady', 'web']) await rolledOut(name)
})
after(() => cluster.purge())

interface Component {
  name: string
  health: string
  pid?: number
}

async function components(): Promise<Component[]> {
  const { stdout } = await run(K8TS, ['status', `--name=${cluster.name}`, '--output=json'])
  return JSON.parse(stdout).components
}

async function processOf(name: string): Promise<number> {
  const pid = (await components()).find(component => component.name === name)?.pid
  assert.ok(pid, `${name} runs`)
  return pid
}

const allHealthy = () =>
  eventually(async () => {
    const ill = (await components()).filter(({ health }) => health !== 'healthy')
    assert.deepEqual(ill, [])
  }, 60_000)

const getDeployment = (name: string) => cluster.json<apps.Deployment>('get', 'deployment', name)

/** The API server may be down for a moment, which ends a `kubectl rollout status`. */
const rolledOut = (name: string) =>
  eventually(() => cluster.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=60s'), 60_000)

/** What must not change when something else dies: which pods there are, and which containers run in them since when. */
async function lives(selector: string) {
  const pods = await getPods(cluster, selector)
  return pods
    .map(({ metadata, status }) => {
      const [container] = status?.containerStatuses ?? []
      const { restartCount, containerID, state } = container ?? {}
      return { uid: metadata.uid, podIP: status?.podIP, restartCount, containerID, since: state?.running?.startedAt }
    })
    .sort((a, b) => `${a.uid}`.localeCompare(`${b.uid}`))
}

/** Begins to replace every pod of `web`, and resolves when some are replaced and some are not. */
async function beginRollout(): Promise<void> {
  await cluster.kubectl('rollout', 'restart', 'deployment/web')
  await eventually(async () => {
    const { status } = await getDeployment('web')
    const updated = status?.updatedReplicas ?? 0
    assert.ok(updated > 0, 'the rollout has begun')
    return true
  })
}

/** The rollout of `web` came to its end: as many pods as asked for, all new, none restarted. */
async function rolloutComplete(old: core.Pod[]): Promise<void> {
  await rolledOut('web')
  const pods = await eventually(async () => {
    const current = await getPods(cluster, 'app=web')
    assert.equal(current.length, REPLICAS, 'neither too many pods nor too few')
    return current
  }, 60_000)
  const former = new Set(old.map(pod => pod.metadata.uid))
  for (const { metadata, status } of pods) {
    assert.equal(former.has(metadata.uid), false, `${metadata.name} is new`)
    // A container that was made but not yet started when the kubelet died counts as one, as upstream counts it.
    const ran = status?.containerStatuses?.[0]?.lastState?.terminated
    assert.equal(ran, undefined, `the container of ${metadata.name} was not restarted`)
  }
  assert.equal(new Set(pods.map(pod => pod.status?.podIP)).size, REPLICAS, 'each has an address of its own')
}

/** On the host there runs one container for each container status, and none besides. */
const noneLost = () =>
  eventually(async () => {
    const { items } = await cluster.json<{ items: core.Pod[] }>('get', 'pods', '--all-namespaces')
    const known = items.flatMap(pod => pod.status?.containerStatuses ?? []).map(status => status.containerID?.slice(13))
    assert.deepEqual(demoContainers().sort(), known.sort())
  })

const demoContainers = () => containersRunning('/bin/demo', cluster.name)

describe('kill -9 while a rollout runs', () => {
  // Several of these share a process, which then dies for all of them.
  for (const victim of ['apiserver', 'controller-manager', 'scheduler', 'kubelet', 'proxy', 'containerd']) {
    test(`of ${victim}: everything goes on`, async () => {
      const steady = await lives('app=steady')
      const old = await getPods(cluster, 'app=web')
      const pid = await processOf(victim)
      await beginRollout()
      process.kill(pid, 'SIGKILL')
      await eventually(async () => assert.notEqual(await processOf(victim), pid, `${victim} is started again`))
      await rolloutComplete(old)
      await allHealthy()
      assert.deepEqual(await lives('app=steady'), steady)
      await noneLost()
    })
  }

  test('of the supervisor: what it started runs on, and the next up takes over', async () => {
    const steady = await lives('app=steady')
    const old = await getPods(cluster, 'app=web')
    const supervisor = await processOf('supervisor')
    await beginRollout()
    process.kill(supervisor, 'SIGKILL')
    await rolloutComplete(old)
    assert.deepEqual(await lives('app=steady'), steady)
    await cluster.k8ts('up')
    await allHealthy()
    assert.deepEqual(await lives('app=steady'), steady)
    await noneLost()
  })

  test('of everything at once but the containers: they are adopted', async () => {
    const steady = await lives('app=steady')
    const old = await getPods(cluster, 'app=web')
    await beginRollout()
    const pids = new Set((await components()).map(({ pid }) => pid))
    for (const pid of pids) if (pid) process.kill(pid, 'SIGKILL')
    await cluster.k8ts('up')
    await rolloutComplete(old)
    assert.deepEqual(await lives('app=steady'), steady)
    await noneLost()
  })
})

describe('while the API server is away', () => {
  test('pods go on serving, and the kubelet restarts what dies', async () => {
    const address = await cluster.kubectl('get', 'service', 'steady', '--output=jsonpath={.spec.clusterIP}')
    const before = demoContainers()
    const [victim] = await lives('app=steady')
    const pid = await processOf('apiserver')
    // Stopped rather than killed: the supervisor does not start it again.
    process.kill(pid, 'SIGSTOP')
    try {
      assert.match(await (await fetch(`http://${address}/`)).text(), /^Hello from steady-/)
      process.kill(firstProcessOf(victim?.containerID), 'SIGKILL')
      await eventually(() => {
        const fresh = demoContainers().filter(id => !before.includes(id))
        assert.equal(fresh.length, 1, 'a new container in the place of the old one')
      })
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await eventually(async () => {
      const again = (await lives('app=steady')).find(({ uid }) => uid === victim?.uid)
      assert.equal(again?.restartCount, 1)
    })
    await allHealthy()
    await noneLost()
  })
})

describe('down and up', () => {
  /** Every object that is not made anew by its very nature: its path and uid. */
  async function objects(): Promise<string[]> {
    const kinds = 'namespaces,nodes,serviceaccounts,configmaps,secrets,services,deployments,replicasets,pods'
    const columns = '--output=custom-columns=:.kind,:.metadata.namespace,:.metadata.name,:.metadata.uid'
    const list = await cluster.kubectl('get', kinds, '--all-namespaces', '--no-headers', columns)
    return list.trim().split('\n').sort()
  }

  test('find the same cluster with the same objects, whose containers run again', async () => {
    await cluster.kubectl('create', 'configmap', 'kept', '--from-literal=key=value')
    const before = await objects()
    assert.ok(before.length > REPLICAS + 10, 'the list has everything')
    await cluster.k8ts('down')
    assert.deepEqual(demoContainers(), [], 'down stops the containers')
    await cluster.k8ts('up')
    assert.deepEqual(await objects(), before)
    for (const name of ['steady', 'web']) await rolledOut(name)
    assert.deepEqual(await objects(), before)
    const kept = await cluster.json<core.ConfigMap>('get', 'configmap', 'kept')
    assert.deepEqual(kept.data, { key: 'value' })
    await noneLost()
    const address = await cluster.kubectl('get', 'service', 'steady', '--output=jsonpath={.spec.clusterIP}')
    await eventually(async () => assert.match(await (await fetch(`http://${address}/`)).text(), /^Hello from steady-/))
  })

  test('an object written just before everything is killed is still there', async () => {
    for (const number of [1, 2, 3]) {
      await cluster.kubectl('create', 'configmap', `last-${number}`, '--from-literal=key=value')
    }
    for (const pid of new Set((await components()).map(({ pid }) => pid))) if (pid) process.kill(pid, 'SIGKILL')
    await cluster.k8ts('up')
    assert.equal(
      await cluster.kubectl('get', 'configmaps', 'last-1', 'last-2', 'last-3', '--output=name'),
      'configmap/last-1\nconfigmap/last-2\nconfigmap/last-3\n',
    )
  })
})
