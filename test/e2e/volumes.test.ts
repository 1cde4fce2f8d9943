import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { core } from '../../src/api/index.ts'
import { startTestCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import {
  apply,
  getPod,
  inPod,
  ready,
  refused,
  scriptContainer,
  scriptPod,
  startPods,
  tryKubectl,
  WAIT,
} from '../support/kubectl.ts'

let cluster: TestCluster
let scratch: string
before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'k8ts-volumes-'))
  cluster = await startTestCluster()
  await apply(cluster, settings, secret)
})
after(async () => {
  await cluster.purge()
  rmSync(scratch, { recursive: true, force: true })
})

const settings = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings' },
  data: { colour: 'red', 'server.conf': 'listen 80\n' },
  binaryData: { bytes: Buffer.from([0, 255, 10]).toString('base64') },
}

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'login' },
  stringData: { user: 'admin', password: 'tiger' },
}

/** A pod that has the volume at /data. */
function podWith(name: string, volume: Partial<core.Volume>, mount: Partial<core.VolumeMount> = {}) {
  const volumes = [{ name: 'data', ...volume }]
  const pod = scriptPod(name, WAIT, { volumes }, { volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }] })
  Object.assign(pod.metadata, { annotations: { team: 'blue' } })
  return pod
}

/** Every file below /data but the folders that hold the versions, with its contents: `name=contents`. */
const contents = async (pod: string) => {
  const files =
    'cd /data; for file in $(find . -follow -type f | grep -v "/[.][.]" | sort); do echo "$file=$(cat $file)"; done'
  return (await inPod(cluster, pod, files)).trim().split('\n')
}

describe('a configMap volume', { concurrency: 3 }, () => {
  test('has a file for each key', async () => {
    await startPods(cluster, podWith('config', { configMap: { name: 'settings' } }))
    assert.equal(await inPod(cluster, 'config', 'cat /data/colour'), 'red')
    assert.equal(await inPod(cluster, 'config', 'cat /data/server.conf'), 'listen 80\n')
    assert.match(await inPod(cluster, 'config', 'od -An -tx1 /data/bytes'), /00 ff 0a/)
    assert.equal((await inPod(cluster, 'config', 'stat -L -c %a /data/colour')).trim(), '644')
    await assert.rejects(inPod(cluster, 'config', 'echo >/data/colour'), /Read-only file system/)
  })

  test('has only the named items, under the names and modes asked for', async () => {
    const items = [{ key: 'colour', path: 'paint/shade', mode: 0o400 }]
    await startPods(cluster, podWith('items', { configMap: { name: 'settings', items } }))
    assert.deepEqual(await contents('items'), ['./paint/shade=red'])
    assert.equal((await inPod(cluster, 'items', 'stat -L -c %a /data/paint/shade')).trim(), '400')
  })

  test('follows the ConfigMap while the pod runs', async () => {
    await apply(cluster, { ...settings, metadata: { name: 'moving' } })
    await startPods(cluster, podWith('follower', { configMap: { name: 'moving' } }))
    await apply(cluster, { ...settings, metadata: { name: 'moving' }, data: { colour: 'blue', shape: 'round' } })
    await eventually(
      async () => assert.deepEqual((await contents('follower')).slice(1), ['./colour=blue', './shape=round']),
      120_000,
    )
    assert.equal((await getPod(cluster, 'follower')).status?.containerStatuses?.[0]?.restartCount, 0)
  })

  test('that does not exist yet holds the pod back until it does', async () => {
    await apply(cluster, podWith('early', { configMap: { name: 'late' } }))
    await eventually(async () => {
      const events = await cluster.kubectl('get', 'events', '--field-selector=involvedObject.name=early')
      assert.match(events, /FailedMount .*MountVolume.SetUp failed for volume "data" : configmap "late" not found/)
    })
    assert.equal((await getPod(cluster, 'early')).status?.phase, 'Pending')
    await apply(cluster, { ...settings, metadata: { name: 'late' } })
    await ready(cluster, 'early')
  })

  test('that is optional may be missing', async () => {
    await startPods(cluster, podWith('optional', { configMap: { name: 'never', optional: true } }))
    assert.equal(await inPod(cluster, 'optional', 'ls /data'), '')
  })
})

describe('other volumes', { concurrency: 3 }, () => {
  test('a secret volume lies in memory', async () => {
    await startPods(cluster, podWith('secret', { secret: { secretName: 'login', defaultMode: 0o440 } }))
    assert.deepEqual(await contents('secret'), ['./password=tiger', './user=admin'])
    assert.match(await inPod(cluster, 'secret', 'grep " /data " /proc/mounts'), /^tmpfs \/data tmpfs ro,/)
    assert.equal((await inPod(cluster, 'secret', 'stat -L -c %a /data/user')).trim(), '440')
  })

  test('a downward API volume tells the pod about itself', async () => {
    const items: core.DownwardAPIVolumeFile[] = [
      { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
      { path: 'team', fieldRef: { fieldPath: "metadata.annotations['team']" } },
      { path: 'memory', resourceFieldRef: { containerName: 'main', resource: 'limits.memory', divisor: '1Mi' } },
    ]
    const pod = podWith('mirror', { downwardAPI: { items } })
    Object.assign(pod.spec.containers[0] ?? {}, { resources: { limits: { memory: '64Mi' } } })
    await startPods(cluster, pod)
    assert.deepEqual(await contents('mirror'), ['./labels=app="mirror"', './memory=64', './name=mirror', './team=blue'])
    await cluster.kubectl('label', 'pod', 'mirror', 'tier=front')
    await eventually(
      async () => assert.equal(await inPod(cluster, 'mirror', 'cat /data/labels'), 'app="mirror"\ntier="front"'),
      120_000,
    )
  })

  test('a projected volume brings several sources together, with a token', async () => {
    const sources: core.VolumeProjection[] = [
      { configMap: { name: 'settings', items: [{ key: 'colour', path: 'config/colour' }] } },
      { secret: { name: 'login', items: [{ key: 'user', path: 'user' }] } },
      { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } },
    ]
    await startPods(cluster, podWith('projected', { projected: { sources } }))
    const [colour, name, token = '', user] = await contents('projected')
    assert.deepEqual([colour, name, user], ['./config/colour=red', './name=projected', './user=admin'])
    const claims = JSON.parse(Buffer.from(token.split('.')[2] ?? '', 'base64url').toString())
    assert.deepEqual(claims.aud, ['vault'])
    assert.equal(claims.sub, 'system:serviceaccount:default:default')
    assert.equal(claims.exp - claims.iat, 600)
    assert.equal(claims['kubernetes.io'].pod.name, 'projected')
  })

  test('an emptyDir is shared by the containers, outlives their restart and goes with the pod', async () => {
    const mounts = { volumeMounts: [{ name: 'data', mountPath: '/data' }] }
    const containers = [
      scriptContainer(`echo written >>/data/file; ${WAIT}`, { name: 'writer', ...mounts }),
      scriptContainer(WAIT, { name: 'reader', ...mounts }),
    ]
    await startPods(cluster, scriptPod('shared', '', { containers, volumes: [{ name: 'data', emptyDir: {} }] }))
    const read = () => cluster.kubectl('exec', 'shared', '--container=reader', '--', 'cat', '/data/file')
    assert.equal(await read(), 'written\n')
    // What ends the container may be ended with it before it can say that it was well.
    const killed = await tryKubectl(cluster, ['exec', 'shared', '--container=writer', '--', 'kill', '1'])
    assert.ok(killed.code === 0 || killed.code === 137, killed.stderr)
    await eventually(async () => assert.equal(await read(), 'written\nwritten\n'))
    const { uid } = (await getPod(cluster, 'shared')).metadata
    const folder = join(cluster.dataDirectory, 'kubelet', 'pods', uid ?? '')
    assert.ok(existsSync(folder))
    await cluster.kubectl('delete', 'pod', 'shared')
    await eventually(() => assert.equal(existsSync(folder), false))
  })

  test('an emptyDir in memory is as large as it says', async () => {
    const emptyDir = { medium: 'Memory', sizeLimit: '2Mi' }
    await startPods(cluster, podWith('memory', { emptyDir }))
    assert.match(await inPod(cluster, 'memory', 'grep " /data " /proc/mounts'), /^tmpfs \/data tmpfs rw,.*size=2048k/)
    await assert.rejects(inPod(cluster, 'memory', 'dd if=/dev/zero of=/data/full bs=1M count=3'), /No space left/)
  })

  test('a hostPath is the host’s own folder, and stays', async () => {
    const path = join(scratch, 'host')
    mkdirSync(path)
    writeFileSync(join(path, 'from-host'), 'hello')
    await startPods(cluster, podWith('host', { hostPath: { path, type: 'Directory' } }))
    assert.equal(await inPod(cluster, 'host', 'cat /data/from-host; echo back >/data/from-pod'), 'hello')
    await cluster.kubectl('delete', 'pod', 'host')
    assert.equal(readFileSync(join(path, 'from-pod'), 'utf8'), 'back\n')
  })

  test('a hostPath of another type than it says holds the pod back', async () => {
    const path = join(scratch, 'missing')
    await apply(cluster, podWith('nowhere', { hostPath: { path, type: 'Directory' } }))
    await eventually(async () => {
      const events = await cluster.kubectl('get', 'events', '--field-selector=involvedObject.name=nowhere')
      assert.match(events, new RegExp(`FailedMount .*hostPath type check failed: ${path} is not a directory`))
    })
  })

  test('a subPath mounts one file, and readOnly is obeyed', async () => {
    const mount = { mountPath: '/etc/server.conf', subPath: 'server.conf', readOnly: true }
    await startPods(cluster, podWith('sub', { configMap: { name: 'settings' } }, mount))
    assert.equal(await inPod(cluster, 'sub', 'cat /etc/server.conf'), 'listen 80\n')
    await assert.rejects(inPod(cluster, 'sub', 'echo >/etc/server.conf'), /Read-only file system/)
  })
})

describe('environment', { concurrency: 3 }, () => {
  test('comes from values, keys, whole objects, fields and other variables', async () => {
    const env: core.EnvVar[] = [
      { name: 'PLAIN', value: 'text' },
      { name: 'COMPOSED', value: '$(PLAIN) and $(UNKNOWN) and $$(PLAIN)' },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
      { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
      { name: 'ABSENT', valueFrom: { configMapKeyRef: { name: 'settings', key: 'absent', optional: true } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ]
    const envFrom = [{ secretRef: { name: 'login' } }, { prefix: 'CONFIG_', configMapRef: { name: 'settings' } }]
    const resources = { limits: { cpu: '1500m' } }
    await startPods(cluster, scriptPod('env', WAIT, {}, { env, envFrom, resources }))
    const pod = await getPod(cluster, 'env')
    const variables = (await inPod(cluster, 'env', 'env')).split('\n')
    const expected = {
      PLAIN: 'text',
      COMPOSED: 'text and $(UNKNOWN) and $(PLAIN)',
      PASSWORD: 'tiger',
      COLOUR: 'red',
      POD_IP: pod.status?.podIP,
      NODE: pod.spec?.nodeName,
      CPUS: '2',
      user: 'admin',
      password: 'tiger',
      CONFIG_colour: 'red',
      KUBERNETES_SERVICE_PORT: '443',
      HOSTNAME: 'env',
    }
    for (const [name, value] of Object.entries(expected)) assert.ok(variables.includes(`${name}=${value}`), name)
    assert.equal(
      variables.some(line => line.startsWith('ABSENT=')),
      false,
    )
  })

  test('names the Services that were there before the pod', async () => {
    const ports = [{ name: 'web', port: 8080 }]
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'my-shop' }, spec: { ports } }
    await apply(cluster, service)
    const address = await cluster.kubectl('get', 'service', 'my-shop', '--output=jsonpath={.spec.clusterIP}')
    await startPods(cluster, scriptPod('linked', WAIT), scriptPod('unlinked', WAIT, { enableServiceLinks: false }))
    const linked = await inPod(cluster, 'linked', 'env')
    assert.match(linked, new RegExp(`^MY_SHOP_SERVICE_HOST=${address}$`, 'm'))
    assert.match(linked, new RegExp(`^MY_SHOP_PORT=tcp://${address}:8080$`, 'm'))
    assert.match(linked, /^MY_SHOP_SERVICE_PORT_WEB=8080$/m)
    assert.doesNotMatch(await inPod(cluster, 'unlinked', 'env'), /MY_SHOP/)
  })

  test('from a key that is missing holds the container back, and says so', async () => {
    const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'login', key: 'nope' } } }]
    await apply(cluster, scriptPod('keyless', WAIT, {}, { env }))
    await eventually(async () => {
      const waiting = (await getPod(cluster, 'keyless')).status?.containerStatuses?.[0]?.state?.waiting
      assert.equal(waiting?.reason, 'CreateContainerConfigError')
      assert.equal(waiting?.message, `couldn't find key nope in Secret default/login`)
    })
    assert.match(await refused(cluster, 'logs', 'keyless'), /waiting to start: CreateContainerConfigError/)
  })

  test('command and args of the pod take the place of the image’s, with variables put in', async () => {
    const container = { command: ['echo', 'hello'], args: ['$(WHO)', '$HOME'], env: [{ name: 'WHO', value: 'world' }] }
    await apply(cluster, scriptPod('greeter', '', { restartPolicy: 'Never' }, { ...container, workingDir: '/tmp' }))
    await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s', 'pod/greeter')
    assert.equal(await cluster.kubectl('logs', 'greeter'), 'hello world $HOME\n')
  })
})
