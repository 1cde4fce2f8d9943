import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const INSIDE = 'K8TS_TEST_NETNS'

/**
 * Runs a test file again in network and mount namespaces of its own, so that what it does to devices, routes, nftables
 * and named namespaces is seen by nobody else and gone when it ends. Call it first, and define tests only where it is true:
 *
 *     if (inOwnNamespace(import.meta.url)) { test(...) }
 */
export function inOwnNamespace(url: string): boolean {
  if (process.env[INSIDE]) {
    // The machine's own named namespaces stay out of sight.
    mkdirSync('/run/netns', { recursive: true })
    command('mount', '-t', 'tmpfs', 'tmpfs', '/run/netns')
    command('ip', 'link', 'set', 'lo', 'up')
    return true
  }
  const skip = process.getuid?.() !== 0 && 'needs root'
  test('in network namespaces of its own', { skip, timeout: 120_000 }, async ({ signal }) => {
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env
    const args = ['--net', '--mount', '--', process.execPath, '--test-reporter=spec', fileURLToPath(url)]
    const child = spawn('unshare', args, {
      env: { ...environment, [INSIDE]: '1' },
      stdio: 'pipe',
      signal,
      killSignal: 'SIGKILL',
    })
    child.on('error', () => {})
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    const code = await new Promise(resolve => child.once('close', resolve))
    if (code !== 0) throw new Error(output)
  })
  return false
}

/** Adds a named namespace at the far end of the device `to-NAME`, with an address in a /24 and a default route. */
export function addNamespace(name: string, address: string, gateway: string): void {
  const inside = (...args: string[]) => command('ip', '-n', name, ...args)
  command('ip', 'netns', 'add', name)
  command('ip', 'link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  command('ip', 'link', 'set', `to-${name}`, 'up')
  inside('link', 'set', 'lo', 'up')
  inside('addr', 'add', `${address}/24`, 'dev', 'eth0')
  inside('link', 'set', 'eth0', 'up')
  inside('route', 'add', 'default', 'via', gateway)
}

/** Runs a program and gives its output; throws with its complaint when it fails. */
export function command(program: string, ...args: string[]): string {
  return commandWith({}, program, ...args)
}

export function commandWith(
  options: { input?: string; env?: Record<string, string> },
  program: string,
  ...args: string[]
): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    input: options.input,
    env: { ...process.env, ...options.env },
    timeout: 20_000,
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr || stdout}`)
  return stdout
}

/** Starts a script of this Node in a named network namespace; without one, where the test itself runs. */
export function nodeIn(
  namespace: string | undefined,
  script: string,
  ...args: string[]
): ChildProcessByStdio<Writable, Readable, null> {
  const enter = namespace ? ['netns', 'exec', namespace, process.execPath] : []
  return spawn(namespace ? 'ip' : process.execPath, [...enter, '-e', script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}
