import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { run, startTestCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import {
  apply,
  DEMO,
  follow,
  getPod,
  inPod,
  kubectlCommand,
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
  cluster = await startTestCluster()
  scratch = mkdtempSync(join(tmpdir(), 'k8ts-exec-'))
})
after(async () => {
  rmSync(scratch, { recursive: true, force: true })
  await cluster.purge()
})

describe('logs', () => {
  before(() =>
    startPods(
      cluster,
      scriptPod('poem', `for word in one two three four five; do echo $word; done; echo six >&2; ${WAIT}`),
      scriptPod('ticker', 'trap "exit 0" TERM; echo first; while :; do echo tick; sleep 0.2; done'),
      scriptPod(
        'twins',
        '',
        {
          containers: [
            scriptContainer(`echo from left; ${WAIT}`, { name: 'left' }),
            scriptContainer(`echo from right; ${WAIT}`, { name: 'right' }),
          ],
        },
        {},
      ),
    ),
  )

  test('prints what the container wrote, to both outputs', async () => {
    const all = (await cluster.kubectl('logs', 'poem')).trim().split('\n')
    assert.deepEqual(
      all.filter(line => line !== 'six'),
      ['one', 'two', 'three', 'four', 'five'],
    )
    assert.ok(all.includes('six'), 'the standard error too')
  })

  test('--tail, --limit-bytes and --timestamps', async () => {
    assert.equal((await cluster.kubectl('logs', 'poem', '--tail=2')).trim().split('\n').length, 2)
    assert.equal(await cluster.kubectl('logs', 'poem', '--tail=0'), '')
    assert.equal((await cluster.kubectl('logs', 'poem', '--limit-bytes=5')).length, 5)
    const stamped = await cluster.kubectl('logs', 'poem', '--timestamps', '--tail=1')
    assert.match(stamped, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(Z|[+-]\d\d:\d\d) \w+\n$/)
  })

  test('--since leaves out what is older', async () => {
    await eventually(async () => {
      const recent = await cluster.kubectl('logs', 'ticker', '--since=2s')
      assert.match(recent, /tick/)
      assert.doesNotMatch(recent, /first/)
    })
    assert.match(await cluster.kubectl('logs', 'ticker', '--since=1h'), /^first\n/)
    const future = new Date(Date.now() + 3_600_000).toISOString()
    assert.equal(await cluster.kubectl('logs', 'ticker', `--since-time=${future}`), '')
  })

  test('of several containers', async () => {
    assert.equal(await cluster.kubectl('logs', 'twins', '--container=right'), 'from right\n')
    const both = await cluster.kubectl('logs', 'twins', '--all-containers', '--prefix')
    // kubectl asks for them in no order.
    const lines = both.trim().split('\n').sort()
    assert.deepEqual(lines, ['[pod/twins/left] from left', '[pod/twins/right] from right'])
    const first = await tryKubectl(cluster, ['logs', 'twins'])
    assert.equal(first.stdout, 'from left\n')
    assert.match(first.stderr, /Defaulted container "left" out of: left, right/)
    assert.match(
      await refused(cluster, 'logs', 'twins', '--container=middle'),
      /container middle is not valid for pod twins/,
    )
  })

  test('-f goes on as the container does, and ends with it', async () => {
    const logs = await follow(cluster, 'logs', 'ticker', '--follow', '--tail=1')
    try {
      await logs.until(/(tick\n){4}/)
      await cluster.kubectl('delete', 'pod', 'ticker')
      assert.equal(await logs.ended(), 0)
    } finally {
      await logs.stop()
    }
  })

  test('--previous shows the container before the last restart', async () => {
    const volumes = [{ name: 'scratch', emptyDir: {} }]
    const count =
      'echo x >>/scratch/runs; echo "run $(wc -l </scratch/runs)"; [ $(wc -l </scratch/runs) -gt 1 ] || exit 7'
    const mounted = { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] }
    await apply(cluster, scriptPod('again', `${count}; ${WAIT}`, { volumes }, mounted))
    await eventually(async () => assert.equal(await cluster.kubectl('logs', 'again'), 'run 2\n'))
    assert.equal(await cluster.kubectl('logs', 'again', '--previous'), 'run 1\n')
    assert.match(
      await refused(cluster, 'logs', 'poem', '--previous'),
      /previous terminated container "main" in pod "poem" not found/,
    )
  })

  test('of a pod that has finished', async () => {
    await apply(cluster, scriptPod('done', 'echo good bye', { restartPolicy: 'Never' }))
    await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s', 'pod/done')
    assert.equal(await cluster.kubectl('logs', 'done'), 'good bye\n')
    assert.equal(await cluster.kubectl('logs', 'done', '--follow'), 'good bye\n')
  })
})

describe('exec', () => {
  before(() => startPods(cluster, scriptPod('shell', WAIT)))

  test('keeps the two outputs apart', async () => {
    const output = await tryKubectl(cluster, ['exec', 'shell', '--', 'sh', '-c', 'echo out; echo err >&2'])
    assert.deepEqual(output, { code: 0, stdout: 'out\n', stderr: 'err\n' })
  })

  test('ends with the command’s exit code', async () => {
    const { code, stderr } = await tryKubectl(cluster, ['exec', 'shell', '--', 'sh', '-c', 'exit 42'])
    assert.equal(code, 42)
    assert.match(stderr, /command terminated with exit code 42/)
  })

  test('passes standard input on, with its end', async () => {
    const args = ['exec', '--stdin', 'shell', '--', 'cat']
    assert.equal(await cluster.kubectlWith('hi\n', ...args), 'hi\n')
    assert.equal(await cluster.kubectlWith('', ...args), '')
  })

  test('carries megabytes both ways unharmed', async () => {
    const text = randomBytes(1_500_000).toString('hex')
    const echoed = await cluster.kubectlWith(text, 'exec', '--stdin', 'shell', '--', 'cat')
    assert.equal(createHash('sha256').update(echoed).digest('hex'), createHash('sha256').update(text).digest('hex'))
  })

  test('says what could not be run', async () => {
    assert.match(
      await refused(cluster, 'exec', 'shell', '--', 'no-such-program'),
      /executable file not found in \$PATH/,
    )
    assert.match(await refused(cluster, 'exec', 'nobody', '--', 'true'), /pods "nobody" not found/)
    assert.match(
      await refused(cluster, 'exec', 'shell', '--container=other', '--', 'true'),
      /container other is not valid for pod shell/,
    )
  })

  test('gives a terminal of the user’s size', async () => {
    // The size comes a moment after the start.
    const wait = 'for i in $(seq 100); do stty size 2>/dev/null | grep -q "33 99" && break; sleep 0.1; done'
    const output = await onTerminal(`exec -it shell -- sh -c 'tty; ${wait}; stty size'`, '')
    assert.match(output, /\/dev\/pts\/\d+\r?\n.*33 99\r?$/m)
    assert.match(await inPod(cluster, 'shell', 'tty || true'), /not a tty/)
  })

  test('a shell on the terminal takes what is typed', async () => {
    const output = await onTerminal('exec -it shell -- sh', 'echo $((6 * 7)); exit 3\n')
    assert.match(output, /^42\r?$/m)
    assert.match(output, /exit code 3/)
  })
})

/** Runs kubectl on a terminal of 33 rows and 99 columns, and returns all that it showed. */
async function onTerminal(command: string, typed: string): Promise<string> {
  const call = `stty rows 33 cols 99; ${(await kubectlCommand(cluster)).join(' ')} ${command}`
  return (await run('script', ['--quiet', '--command', call, '/dev/null'], typed)).stdout
}

describe('attach', () => {
  const listener = 'while read -r line; do echo "heard $line"; done; echo over'

  test('speaks with the container’s first process', async () => {
    await startPods(
      cluster,
      scriptPod('listener', listener, { restartPolicy: 'Never' }, { stdin: true, stdinOnce: true }),
    )
    assert.equal(
      await cluster.kubectlWith('one\ntwo\n', 'attach', '--stdin', 'listener'),
      'heard one\nheard two\nover\n',
    )
    await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=30s', 'pod/listener')
  })

  test('run -i --rm is one command from start to end', async () => {
    const args = ['run', 'adder', '--stdin', '--rm', '--restart=Never', '--quiet', `--image=${DEMO}`]
    const { stdout } = await tryKubectl(cluster, [...args, '--', 'sh', '-c', 'read a b; echo $((a + b))'], '19 23\n')
    assert.match(stdout, /^42\n/)
    assert.match(await refused(cluster, 'get', 'pod', 'adder'), /pods "adder" not found/)
  })
})

describe('cp', () => {
  before(() => startPods(cluster, scriptPod('box', WAIT)))

  test('takes a file there and back', async () => {
    const file = join(scratch, 'bytes')
    const bytes = randomBytes(700_000)
    writeFileSync(file, bytes)
    await cluster.kubectl('cp', file, 'box:/tmp/bytes')
    assert.equal((await inPod(cluster, 'box', 'wc -c </tmp/bytes')).trim(), '700000')
    await cluster.kubectl('cp', 'box:/tmp/bytes', `${file}.back`)
    assert.ok(bytes.equals(readFileSync(`${file}.back`)))
  })

  test('takes a directory there and back', async () => {
    const directory = join(scratch, 'tree')
    mkdirSync(join(directory, 'branch'), { recursive: true })
    writeFileSync(join(directory, 'root.txt'), 'root')
    writeFileSync(join(directory, 'branch', 'leaf.txt'), 'leaf')
    await cluster.kubectl('cp', directory, 'box:/tmp/tree')
    assert.equal(await inPod(cluster, 'box', 'cat /tmp/tree/root.txt /tmp/tree/branch/leaf.txt'), 'rootleaf')
    await cluster.kubectl('cp', 'box:/tmp/tree', `${directory}-back`)
    assert.deepEqual(readdirSync(`${directory}-back`, { recursive: true }).sort(), [
      'branch',
      'branch/leaf.txt',
      'root.txt',
    ])
  })
})

describe('port-forward', () => {
  before(async () => {
    await cluster.kubectl('run', 'server', `--image=${DEMO}`, '--port=8080', '--labels=app=server')
    await cluster.kubectl('expose', 'pod', 'server', '--port=80', '--target-port=8080')
    await cluster.kubectl('wait', '--for=condition=Ready', '--timeout=30s', 'pod/server')
  })

  /** Forwards a free port of this machine, and calls `use` with its number. */
  async function forwarded(target: string, port: number, use: (port: number) => Promise<void>): Promise<void> {
    const forward = await follow(cluster, 'port-forward', target, `:${port}`)
    try {
      const [, local] = await forward.until(/Forwarding from 127\.0\.0\.1:(\d+) -> \d+/)
      await use(Number(local))
    } finally {
      await forward.stop()
    }
  }

  const greeting = async (port: number) => (await (await fetch(`http://127.0.0.1:${port}/`)).text()).split('\n')[0]

  test('of a pod, for one connection after another and for several at once', () =>
    forwarded('pod/server', 8080, async port => {
      assert.equal(await greeting(port), 'Hello from server, demo v1')
      const answers = await Promise.all(Array.from({ length: 8 }, () => greeting(port)))
      assert.deepEqual(new Set(answers), new Set(['Hello from server, demo v1']))
    }))

  test('of a service, by the service’s port', () =>
    forwarded('service/server', 80, async port => {
      assert.equal(await greeting(port), 'Hello from server, demo v1')
    }))

  test('of a port where nothing listens: the connection ends, and the reason is told', async () => {
    const forward = await follow(cluster, 'port-forward', 'pod/server', ':81')
    try {
      const [, port] = await forward.until(/Forwarding from 127\.0\.0\.1:(\d+) -> 81/)
      await assert.rejects(fetch(`http://127.0.0.1:${port}/`))
      await forward.until(/[Cc]onnection refused/)
    } finally {
      await forward.stop()
    }
  })

  test('of a pod that does not exist', async () => {
    assert.match(await refused(cluster, 'port-forward', 'pod/nobody', ':80'), /pods "nobody" not found/)
    assert.equal((await getPod(cluster, 'server')).status?.phase, 'Running')
  })
})
