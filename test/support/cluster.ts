/** A real cluster of a test's own, on this machine, driven as a person would: by bin/k8ts and kubectl. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installTools } from '../../scripts/tools.ts'

export { eventually } from './eventually.ts'

export const K8TS = join(import.meta.dirname, '..', '..', 'bin', 'k8ts')
/** Which test process owns which cluster, so that the clusters of dead ones are found. */
const OWNERS = join(tmpdir(), 'k8ts-test-clusters')

export interface Output {
  code: number
  stdout: string
  stderr: string
}

export interface TestCluster {
  name: string
  dataDirectory: string
  kubeconfig: string
  /** Runs bin/k8ts with this cluster's --name; `up` with its directories. Rejects unless it exits with 0. */
  k8ts(...args: string[]): Promise<string>
  /** Runs kubectl on this cluster and returns what it printed. Rejects with its complaint. */
  kubectl(...args: string[]): Promise<string>
  /** As `kubectl`, with something on its standard input. */
  kubectlWith(input: string, ...args: string[]): Promise<string>
  /** As `kubectl ... -o json`, parsed. */
  json<T>(...args: string[]): Promise<T>
  purge(): Promise<void>
}

/** A cluster that is not up yet: `up` starts it. Purge it whatever happens. */
export async function newCluster(): Promise<TestCluster> {
  await purgeStale()
  const name = `t${randomBytes(3).toString('hex')}`
  const directory = mkdtempSync(join(tmpdir(), `k8ts-${name}-`))
  const dataDirectory = join(directory, 'data')
  const kubeconfig = join(directory, 'kubeconfig')
  mkdirSync(OWNERS, { recursive: true })
  writeFileSync(join(OWNERS, name), JSON.stringify({ pid: process.pid, directory }))
  const tools = await installTools()
  const kubectlWith = async (input: string, ...args: string[]) =>
    succeed(
      `kubectl ${args.join(' ')}`,
      await run(join(tools, 'kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], input),
    )
  const kubectl = (...args: string[]) => kubectlWith('', ...args)
  return {
    name,
    dataDirectory,
    kubeconfig,
    async k8ts(command, ...args) {
      const own = command === 'up' ? [`--data-dir=${dataDirectory}`, `--kubeconfig=${kubeconfig}`] : []
      return succeed(`k8ts ${command}`, await run(K8TS, [command ?? '', ...args, `--name=${name}`, ...own]))
    },
    kubectl,
    kubectlWith,
    json: async <T>(...args: string[]) => JSON.parse(await kubectl(...args, '--output=json')) as T,
    purge: () => purge(name, directory),
  }
}

/** A cluster that is up. */
export async function startTestCluster(): Promise<TestCluster> {
  const cluster = await newCluster()
  try {
    await cluster.k8ts('up')
    return cluster
  } catch (error) {
    await cluster.purge()
    throw error
  }
}

/** Runs a program to its end, however it ends. */
export async function run(program: string, args: string[], input = '', timeout = 180_000): Promise<Output> {
  const child = promisify(execFile)(program, args, { timeout, maxBuffer: 64 << 20 })
  child.child.stdin?.on('error', () => {})
  child.child.stdin?.end(input)
  try {
    return { code: 0, ...(await child) }
  } catch (error) {
    const { code, stdout = '', stderr = '', message } = error as Error & { code?: unknown } & Partial<Output>
    return { code: typeof code === 'number' ? code : -1, stdout, stderr: stderr || message }
  }
}

function succeed(what: string, { code, stdout, stderr }: Output): string {
  if (code !== 0) throw new Error(`${what}: exit code ${code}\n${stdout}${stderr}`)
  return stdout
}

async function purge(name: string, directory: string): Promise<void> {
  succeed(
    'k8ts down --purge',
    await run(K8TS, ['down', `--name=${name}`, `--data-dir=${join(directory, 'data')}`, '--purge']),
  )
  rmSync(directory, { recursive: true, force: true })
  rmSync(join(OWNERS, name), { force: true })
}

/** Clusters whose test process died before it could purge them. */
async function purgeStale(): Promise<void> {
  mkdirSync(OWNERS, { recursive: true })
  for (const name of readdirSync(OWNERS)) {
    const owner = readOwner(join(OWNERS, name))
    if (owner && !isNodeProcess(owner.pid)) await purge(name, owner.directory)
  }
}

function readOwner(path: string): { pid: number; directory: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** A number that has passed to another program is no test's any more. */
function isNodeProcess(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('node')
  } catch {
    return false
  }
}
