import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { core } from '../../src/api/index.ts'
import { startTestCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import {
  apply,
  follow,
  getPod,
  inPod,
  ready,
  refused,
  scriptContainer,
  scriptPod,
  startPods,
  WAIT,
} from '../support/kubectl.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startTestCluster()
})
after(() => cluster.purge())

const status = async (pod: string): Promise<core.ContainerStatus> => {
  const [first] = (await getPod(cluster, pod)).status?.containerStatuses ?? []
  assert.ok(first, `${pod} has a container status`)
  return first
}

/** `reason: message` of each event about the pod. */
async function events(pod: string): Promise<string[]> {
  const { items } = await cluster.json<{ items: core.Event[] }>(
    'get',
    'events',
    `--field-selector=involvedObject.name=${pod}`,
  )
  return items.map(({ reason, message }) => `${reason}: ${message}`)
}

const finished = (pod: string, phase: string) =>
  cluster.kubectl('wait', `--for=jsonpath={.status.phase}=${phase}`, '--timeout=60s', `pod/${pod}`)

describe('restart policy', { concurrency: 3 }, () => {
  test('Always starts again even what succeeded, and later every time', async () => {
    await apply(cluster, scriptPod('loop', 'exit 0'))
    await eventually(async () => {
      const { restartCount, state, lastState } = await status('loop')
      assert.equal(state?.waiting?.reason, 'CrashLoopBackOff')
      assert.match(
        state?.waiting?.message ?? '',
        /^back-off \d+s restarting failed container=main pod=loop_default\([-0-9a-f]{36}\)$/,
      )
      assert.equal(lastState?.terminated?.reason, 'Completed')
      assert.ok(restartCount >= 1)
    })
    assert.match(await cluster.kubectl('get', 'pod', 'loop'), /loop +0\/1 +CrashLoopBackOff +\d+ \(\d+s ago\)/)
    assert.ok(
      (await events('loop')).some(event => event.startsWith('BackOff: Back-off restarting failed container main')),
    )
  })

  test('OnFailure starts again until it succeeds', async () => {
    const volumes = [{ name: 'data', emptyDir: {} }]
    const mounted = { volumeMounts: [{ name: 'data', mountPath: '/data' }] }
    const script = 'test -e /data/tried && exit 0; touch /data/tried; exit 5'
    await apply(cluster, scriptPod('second', script, { volumes, restartPolicy: 'OnFailure' }, mounted))
    await finished('second', 'Succeeded')
    const { restartCount, lastState } = await status('second')
    assert.equal(restartCount, 1)
    assert.equal(lastState?.terminated?.exitCode, 5)
    assert.match(await cluster.kubectl('get', 'pod', 'second'), /second +0\/1 +Completed +1 \(\d+s ago\)/)
  })

  test('Never leaves it as it ended', async () => {
    const script = 'echo the reason >/dev/termination-log; exit 3'
    await apply(cluster, scriptPod('failed', script, { restartPolicy: 'Never' }))
    await finished('failed', 'Failed')
    const { restartCount, state } = await status('failed')
    assert.equal(restartCount, 0)
    const { exitCode, reason, message } = state?.terminated ?? {}
    assert.deepEqual([exitCode, reason, message], [3, 'Error', 'the reason\n'])
    assert.match(await cluster.kubectl('get', 'pod', 'failed'), /failed +0\/1 +Error +0 /)
  })
})

describe('init containers', { concurrency: 3 }, () => {
  const volumes = [{ name: 'data', emptyDir: {} }]
  const mounted = { volumeMounts: [{ name: 'data', mountPath: '/data' }] }

  test('run one after another, to their end, before the others', async () => {
    const initContainers = [
      scriptContainer('sleep 1; echo one >>/data/order', { name: 'one', ...mounted }),
      scriptContainer('echo two >>/data/order', { name: 'two', ...mounted }),
    ]
    await startPods(
      cluster,
      scriptPod('ordered', `echo main >>/data/order; ${WAIT}`, { initContainers, volumes }, mounted),
    )
    assert.equal(await inPod(cluster, 'ordered', 'cat /data/order'), 'one\ntwo\nmain\n')
    const ended = (await getPod(cluster, 'ordered')).status?.initContainerStatuses ?? []
    assert.deepEqual(
      ended.map(({ name, ready, state }) => [name, ready, state?.terminated?.reason]),
      [
        ['one', true, 'Completed'],
        ['two', true, 'Completed'],
      ],
    )
  })

  test('that fail are tried again, and hold the pod back', async () => {
    const initContainers = [scriptContainer('exit 1', { name: 'broken' })]
    await apply(cluster, scriptPod('held', WAIT, { initContainers }))
    await eventually(async () =>
      assert.match(await cluster.kubectl('get', 'pod', 'held'), /held +0\/1 +Init:(CrashLoopBackOff|Error) /),
    )
    assert.equal((await status('held')).state?.waiting?.reason, 'PodInitializing')
    const initialized = (await getPod(cluster, 'held')).status?.conditions?.find(({ type }) => type === 'Initialized')
    assert.deepEqual([initialized?.status, initialized?.reason], ['False', 'ContainersNotInitialized'])
  })

  test('that fail in a pod that is not restarted end it', async () => {
    const initContainers = [scriptContainer('exit 1', { name: 'broken' })]
    await apply(cluster, scriptPod('ended', WAIT, { initContainers, restartPolicy: 'Never' }))
    await finished('ended', 'Failed')
    assert.match(await cluster.kubectl('get', 'pod', 'ended'), /ended +0\/1 +Init:Error /)
  })

  test('that always restart are sidecars: they run beside the others', async () => {
    const initContainers = [scriptContainer(WAIT, { name: 'proxy', restartPolicy: 'Always' })]
    await startPods(cluster, scriptPod('escorted', WAIT, { initContainers }))
    const [sidecar] = (await getPod(cluster, 'escorted')).status?.initContainerStatuses ?? []
    assert.ok(sidecar?.state?.running)
    assert.match(await cluster.kubectl('get', 'pod', 'escorted'), /escorted +2\/2 +Running/)
  })
})

describe('probes', { concurrency: 3 }, () => {
  const often = { periodSeconds: 1, failureThreshold: 2 }
  const serve = 'mkdir /srv; echo fine >/srv/health; trap "exit 0" TERM; httpd -f -p 8080 -h /srv & wait'

  test('a liveness probe that fails has the container restarted', async () => {
    const livenessProbe = { exec: { command: ['test', '!', '-e', '/tmp/sick'] }, ...often }
    await startPods(cluster, scriptPod('patient', WAIT, {}, { livenessProbe }))
    await inPod(cluster, 'patient', 'touch /tmp/sick')
    await eventually(async () => {
      const { restartCount, ready } = await status('patient')
      assert.deepEqual([restartCount, ready], [1, true])
    })
    const told = await events('patient')
    assert.ok(told.some(event => event.startsWith('Unhealthy: Liveness probe failed')))
    assert.ok(told.includes('Killing: Container main failed liveness probe, will be restarted'))
  })

  test('a readiness probe takes the pod out of its Service and back in', async () => {
    const readinessProbe = { httpGet: { path: '/health', port: 8080 }, ...often }
    await startPods(cluster, scriptPod('server', serve, {}, { readinessProbe }))
    await cluster.kubectl('expose', 'pod', 'server', '--port=80', '--target-port=8080')
    const endpoints = async () => {
      const [slice] = (
        await cluster.json<{ items: { endpoints: { conditions: { ready: boolean } }[] }[] }>(
          'get',
          'endpointslices',
          '--selector=kubernetes.io/service-name=server',
        )
      ).items
      return slice?.endpoints.map(({ conditions }) => conditions.ready)
    }
    await eventually(async () => assert.deepEqual(await endpoints(), [true]))
    await inPod(cluster, 'server', 'mv /srv/health /srv/ill')
    await eventually(async () => assert.deepEqual(await endpoints(), [false]))
    assert.match(await cluster.kubectl('get', 'pod', 'server'), /server +0\/1 +Running +0 /)
    const told = await events('server')
    assert.ok(told.includes('Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404'))
    await inPod(cluster, 'server', 'mv /srv/ill /srv/health')
    await eventually(async () => assert.deepEqual(await endpoints(), [true]))
    assert.equal((await status('server')).restartCount, 0)
  })

  test('a startup probe keeps the others waiting', async () => {
    const startupProbe = { exec: { command: ['test', '-e', '/tmp/started'] }, periodSeconds: 1, failureThreshold: 60 }
    const livenessProbe = { tcpSocket: { port: 8080 }, ...often }
    const script = `while ! test -e /tmp/started; do sleep 0.2; done; ${serve}`
    await apply(cluster, scriptPod('slow', script, {}, { startupProbe, livenessProbe }))
    await eventually(async () => {
      const { started, ready, state } = await status('slow')
      assert.deepEqual([started, ready, state?.running !== undefined], [false, false, true])
    })
    await eventually(async () =>
      assert.ok((await events('slow')).some(event => event.startsWith('Unhealthy: Startup probe failed'))),
    )
    await inPod(cluster, 'slow', 'touch /tmp/started')
    await ready(cluster, 'slow')
    const { started, restartCount } = await status('slow')
    assert.deepEqual([started, restartCount], [true, 0])
  })
})

describe('images', { concurrency: 2 }, () => {
  test('that cannot be pulled are tried again, later every time', async () => {
    const image = 'k8ts.local/no-such-image:v1'
    await apply(cluster, scriptPod('imageless', WAIT, {}, { image }))
    await eventually(async () => assert.equal((await status('imageless')).state?.waiting?.reason, 'ImagePullBackOff'))
    const told = await events('imageless')
    assert.ok(told.some(event => event.startsWith(`Failed: Failed to pull image "${image}": `)))
    assert.ok(told.includes('Failed: Error: ErrImagePull'))
    assert.ok(told.includes(`BackOff: Back-off pulling image "${image}"`))
    assert.match(
      await refused(cluster, 'logs', 'imageless'),
      /container "main" in pod "imageless" is waiting to start: trying and failing to pull image/,
    )
  })

  test('that are never to be pulled must be there', async () => {
    const container = { image: 'k8ts.local/no-such-image:v2', imagePullPolicy: 'Never' } as const
    await apply(cluster, scriptPod('unpulled', WAIT, {}, container))
    await eventually(async () => assert.equal((await status('unpulled')).state?.waiting?.reason, 'ErrImageNeverPull'))
  })

  test('whose name is no name', async () => {
    await apply(cluster, scriptPod('nameless', WAIT, {}, { image: 'No Such Name' }))
    await eventually(async () => assert.equal((await status('nameless')).state?.waiting?.reason, 'InvalidImageName'))
  })
})

describe('resources', { concurrency: 2 }, () => {
  test('become limits of the container’s cgroup', async () => {
    const resources = { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: '250m', memory: '32Mi' } }
    await startPods(cluster, scriptPod('limited', WAIT, {}, { resources }))
    // The machine's cgroups are of version 2 or of version 1.
    const read = async (...files: string[]) => {
      const script = `cd /sys/fs/cgroup; cat ${files[0]} 2>/dev/null || cat ${files.slice(1).join(' ')}`
      return (await inPod(cluster, 'limited', script)).trim().replaceAll('\n', ' ')
    }
    assert.equal(await read('memory.max', 'memory/memory.limit_in_bytes'), `${64 << 20}`)
    assert.equal(await read('cpu.max', 'cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us'), '50000 100000')
    assert.equal((await getPod(cluster, 'limited')).status?.qosClass, 'Burstable')
  })

  test('memory beyond the limit ends the container: OOMKilled', async () => {
    const resources = { limits: { memory: '16Mi' } }
    // The shell doubles a string until it no longer fits.
    await apply(
      cluster,
      scriptPod('greedy', 'x=0123456789; while :; do x=$x$x; done', { restartPolicy: 'Never' }, { resources }),
    )
    await finished('greedy', 'Failed')
    const ended = (await status('greedy')).state?.terminated
    assert.deepEqual([ended?.reason, ended?.exitCode], ['OOMKilled', 137])
    assert.equal((await getPod(cluster, 'greedy')).status?.qosClass, 'Burstable')
  })

  test('that no node has leave the pod Pending, with the scheduler’s reason', async () => {
    await apply(cluster, scriptPod('giant', WAIT, {}, { resources: { requests: { cpu: '1k' } } }))
    await eventually(async () => {
      const told = await events('giant')
      assert.ok(
        told.some(event => event.startsWith('FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.')),
        told.join('\n'),
      )
    })
    const scheduled = (await getPod(cluster, 'giant')).status?.conditions?.find(({ type }) => type === 'PodScheduled')
    assert.deepEqual([scheduled?.status, scheduled?.reason], ['False', 'Unschedulable'])
  })
})

describe('the end of a pod', { concurrency: 3 }, () => {
  test('is announced by SIGTERM, and the container may tidy up', async () => {
    const script = 'trap "echo tidying; sleep 1; echo tidy; exit 0" TERM; echo up; sleep infinity & wait'
    await startPods(cluster, scriptPod('polite', script, { terminationGracePeriodSeconds: 30 }))
    const logs = await follow(cluster, 'logs', 'polite', '--follow')
    try {
      await logs.until(/up/)
      await cluster.kubectl('delete', 'pod', 'polite', '--wait=false')
      assert.ok((await getPod(cluster, 'polite')).metadata.deletionTimestamp, 'it is still there, and on its way out')
      assert.match(await cluster.kubectl('get', 'pod', 'polite'), /polite +1\/1 +Terminating/)
      await logs.until(/tidying\ntidy\n/)
      await cluster.kubectl('wait', '--for=delete', '--timeout=20s', 'pod/polite')
    } finally {
      await logs.stop()
    }
    assert.ok((await events('polite')).includes('Killing: Stopping container main'))
  })

  test('comes by force when the grace period is over', async () => {
    await startPods(
      cluster,
      scriptPod('stubborn', 'trap "" TERM; sleep infinity', { terminationGracePeriodSeconds: 2 }),
    )
    await cluster.kubectl('delete', 'pod', 'stubborn', '--timeout=20s')
    assert.match(await refused(cluster, 'get', 'pod', 'stubborn'), /pods "stubborn" not found/)
  })

  test('begins with the preStop hook', async () => {
    const lifecycle = { preStop: { exec: { command: ['sh', '-c', 'echo before >/proc/1/fd/1'] } } }
    const script = 'trap "echo term; exit 0" TERM; sleep infinity & wait'
    await startPods(cluster, scriptPod('hooked', script, { terminationGracePeriodSeconds: 20 }, { lifecycle }))
    const logs = await follow(cluster, 'logs', 'hooked', '--follow')
    try {
      await cluster.kubectl('delete', 'pod', 'hooked')
      await logs.until(/before\nterm\n/)
    } finally {
      await logs.stop()
    }
  })

  test('--now and --force leave nothing waiting', async () => {
    const slow = { terminationGracePeriodSeconds: 300 }
    await startPods(
      cluster,
      scriptPod('now', 'trap "" TERM; sleep infinity', slow),
      scriptPod('force', 'sleep infinity', slow),
    )
    await cluster.kubectl('delete', 'pod', 'now', '--now', '--timeout=20s')
    await cluster.kubectl('delete', 'pod', 'force', '--force', '--timeout=20s')
  })

  test('comes by itself after activeDeadlineSeconds', async () => {
    await apply(cluster, scriptPod('late', WAIT, { activeDeadlineSeconds: 2 }))
    await finished('late', 'Failed')
    const { reason, message } = (await getPod(cluster, 'late')).status ?? {}
    assert.deepEqual(
      [reason, message],
      ['DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'],
    )
  })
})

describe('what a pod may ask for', { concurrency: 3 }, () => {
  test('a user, a read-only root and no privileges', async () => {
    const securityContext: core.SecurityContext = {
      runAsUser: 65534,
      runAsGroup: 65534,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    }
    await startPods(cluster, scriptPod('humble', WAIT, {}, { securityContext }))
    assert.match(await inPod(cluster, 'humble', 'id'), /^uid=65534\(nobody\) gid=65534/)
    await assert.rejects(inPod(cluster, 'humble', 'touch /file'), /Read-only file system/)
    const own = await inPod(cluster, 'humble', 'cat /proc/self/status')
    assert.match(own, /^NoNewPrivs:\t1$/m)
    assert.match(own, /^CapEff:\t0+$/m)
  })

  test('a user for all its containers, as whom its sandbox runs too', async () => {
    const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' as const } }
    await startPods(cluster, scriptPod('ordinary', WAIT, { securityContext }))
    assert.match(await inPod(cluster, 'ordinary', 'id'), /^uid=1000 /)
    assert.equal((await status('ordinary')).restartCount, 0)
  })

  test('runAsNonRoot refuses an image that runs as root', async () => {
    await apply(cluster, scriptPod('rooted', WAIT, { securityContext: { runAsNonRoot: true } }))
    await eventually(async () => {
      const waiting = (await status('rooted')).state?.waiting
      assert.equal(waiting?.reason, 'CreateContainerConfigError')
      assert.match(waiting?.message ?? '', /container has runAsNonRoot and image will run as root/)
    })
  })

  test('a host name, other hosts and one process namespace', async () => {
    const hostAliases = [{ ip: '192.0.2.7', hostnames: ['far.example', 'far'] }]
    await startPods(cluster, scriptPod('known', WAIT, { hostname: 'alice', hostAliases, shareProcessNamespace: true }))
    assert.equal(await inPod(cluster, 'known', 'hostname'), 'alice\n')
    assert.match(await inPod(cluster, 'known', 'cat /etc/hosts'), /^192\.0\.2\.7\tfar\.example\tfar$/m)
    assert.match(await inPod(cluster, 'known', 'ps'), /pause/)
  })

  test('a node by name or label, which may not exist', async () => {
    await apply(cluster, scriptPod('picky', WAIT, { nodeSelector: { disk: 'fast' } }))
    const why = `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.`
    await eventually(async () =>
      assert.ok((await events('picky')).some(event => event.startsWith(`FailedScheduling: ${why}`))),
    )
    await cluster.kubectl('label', 'nodes', '--all', 'disk=fast')
    await ready(cluster, 'picky')
  })
})
