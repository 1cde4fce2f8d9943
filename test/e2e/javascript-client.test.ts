import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { Attach, Cp, Exec, KubeConfig, Log, PortForward, type V1Status } from '@kubernetes/client-node'
import { startTestCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { DEMO, scriptPod, startPods, WAIT } from '../support/kubectl.ts'

const TALKS = `while read line; do echo "heard $line"; done; ${WAIT}`

/** Serves HTTP, and answers with its name. */
const web = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: DEMO }] },
}

/** What the official JavaScript client does with containers that run. */
describe('the official JavaScript client on a cluster', { timeout: 120_000 }, () => {
  let cluster: TestCluster
  let config: KubeConfig
  let scratch: string
  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'k8ts-client-'))
    cluster = await startTestCluster()
    config = new KubeConfig()
    config.loadFromFile(cluster.kubeconfig)
    await startPods(
      cluster,
      scriptPod('quiet', `echo one; echo two; ${WAIT}`),
      scriptPod('ends', `echo one; ${WAIT}`, { restartPolicy: 'Never' }),
      scriptPod('talks', TALKS, {}, { stdin: true }),
      web,
    )
  })
  after(async () => {
    await cluster?.purge()
    await rm(scratch, { recursive: true, force: true })
  })

  /** Runs a shell script in a container; all that it said, and how it ended. */
  async function inContainer(script: string, input = '', pod = 'quiet') {
    const [out, complaints] = [new PassThrough(), new PassThrough()]
    const said = Promise.all([text(out), text(complaints)])
    const status = await new Promise<V1Status>((resolve, reject) => {
      new Exec(config)
        .exec('default', pod, 'main', ['sh', '-c', script], out, complaints, Readable.from([input]), false, resolve)
        .catch(reject)
    })
    out.end()
    complaints.end()
    const [stdout, stderr] = await said
    return { status, stdout, stderr }
  }

  it('executes a command, with its input, output and exit code', async () => {
    const good = await inContainer('echo out; echo err >&2')
    assert.deepEqual([good.stdout, good.stderr, good.status.status], ['out\n', 'err\n', 'Success'])
    const bad = await inContainer('exit 3')
    assert.equal(bad.status.reason, 'NonZeroExitCode')
    assert.equal(bad.status.details?.causes?.[0]?.message, '3')
    assert.equal((await inContainer('head -n1', 'given\n')).stdout, 'given\n')
  })

  it('attaches to what runs', async () => {
    const [out, input] = [new PassThrough(), new PassThrough()]
    let heard = ''
    out.on('data', chunk => {
      heard += chunk
    })
    const socket = await new Attach(config).attach('default', 'talks', 'main', out, null, input, false)
    input.write('hello\n')
    await eventually(() => assert.match(heard, /heard hello/))
    socket.close()
  })

  it('reads and follows logs', async () => {
    const read = new PassThrough()
    await new Log(config).log('default', 'quiet', 'main', read, { tailLines: 1 })
    assert.equal(await text(read), 'two\n')
    const followed = new PassThrough()
    await new Log(config).log('default', 'ends', 'main', followed, { follow: true })
    const all = text(followed)
    await inContainer('echo three > /proc/1/fd/1; kill 1', '', 'ends')
    assert.equal(await all, 'one\nthree\n')
  })

  it('forwards a port', async () => {
    const forward = new PortForward(config)
    const server = createServer(socket => {
      // What still comes when this test has what it wants is nobody's any more.
      socket.on('error', () => {})
      void forward.portForward('default', 'web', [8080], socket, null, socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
    socket.on('error', () => {})
    let answer = ''
    socket.on('data', chunk => {
      answer += chunk
    })
    await eventually(() => assert.match(answer, /^HTTP\/1\.\d 200 OK[\s\S]*web/), 10_000)
    socket.destroy()
    server.close()
  })

  it('copies files there and back', async () => {
    const cp = new Cp(config)
    await writeFile(join(scratch, 'note'), 'some text')
    // It resolves before the copy is made.
    await cp.cpToPod('default', 'quiet', 'main', scratch, '/tmp')
    await eventually(async () => assert.equal((await inContainer('cat /tmp/note')).stdout, 'some text'))
    await inContainer('echo answer > /tmp/answer')
    await cp.cpFromPod('default', 'quiet', 'main', 'answer', scratch, '/tmp')
    await eventually(async () => assert.equal(await readFile(join(scratch, 'answer'), 'utf8'), 'answer\n'))
  })
})
