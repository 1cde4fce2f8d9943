/** What tests do with kubectl beyond one call that succeeds: expect a refusal, follow a long one, apply objects. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installTools } from '../../scripts/tools.ts'
import type { core } from '../../src/api/index.ts'
import type { TestApiServer } from './apiserver.ts'
import { type Output, run, type TestCluster } from './cluster.ts'
import { eventually } from './eventually.ts'

/** Version 1 of the image that every cluster has: an HTTP server on port 8080, and busybox. */
export const DEMO = 'k8ts.local/demo:v1'

/** For a shell that has nothing more to do: it waits, and ends as soon as it is told to. */
export const WAIT = 'trap "exit 0" TERM; sleep infinity & wait'

/** Where kubectl lies, and the arguments that point it at the cluster. */
export async function kubectlCommand(cluster: Pick<TestCluster, 'kubeconfig'>): Promise<[string, string]> {
  return [join(await installTools(), 'kubectl'), `--kubeconfig=${cluster.kubeconfig}`]
}

/** Writes what kubectl needs to reach a test's own API server; `remove` takes it away again. */
export async function adminKubeconfig({ url, ca, admin }: Pick<TestApiServer, 'url' | 'ca' | 'admin'>) {
  const directory = await mkdtemp(join(tmpdir(), 'k8ts-kubeconfig-'))
  const kubeconfig = join(directory, 'config')
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [
      { name: 'admin', user: { 'client-certificate-data': base64(admin.cert), 'client-key-data': base64(admin.key) } },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  }
  await writeFile(kubeconfig, JSON.stringify(config))
  return { kubeconfig, remove: () => rm(directory, { recursive: true, force: true }) }
}

/** Runs kubectl to its end, whatever its exit code. */
export async function tryKubectl(
  cluster: Pick<TestCluster, 'kubeconfig'>,
  args: string[],
  input = '',
): Promise<Output> {
  const [kubectl, config] = await kubectlCommand(cluster)
  return run(kubectl, [config, ...args], input)
}

/** Runs kubectl, which must fail, and returns what it complained about. */
export async function refused(cluster: Pick<TestCluster, 'kubeconfig'>, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryKubectl(cluster, args)
  assert.notEqual(code, 0, `kubectl ${args.join(' ')} succeeded:\n${stdout}`)
  return stderr
}

/** A kubectl that goes on until it is stopped, as `logs -f`, `get -w` and `port-forward` do. */
export interface Following {
  process: ChildProcess
  /** Everything it has printed so far. */
  output(): string
  /** Resolves with the match as soon as the output has one. */
  until(pattern: RegExp, timeout?: number): Promise<RegExpMatchArray>
  /** Resolves with its exit code when it ends by itself. */
  ended(): Promise<number>
  stop(): Promise<void>
}

export async function follow(cluster: TestCluster, ...args: string[]): Promise<Following> {
  const [kubectl, config] = await kubectlCommand(cluster)
  const child = spawn(kubectl, [config, ...args], { stdio: 'pipe' })
  const exit = once(child, 'exit')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  return {
    process: child,
    output: () => output,
    until: (pattern, timeout) =>
      eventually(() => {
        const found = output.match(pattern)
        assert.ok(found, `kubectl ${args.join(' ')} has not printed ${pattern} but:\n${output}`)
        return found
      }, timeout),
    ended: async () => (await exit)[0],
    async stop() {
      child.kill()
      await exit
    },
  }
}

/** `kubectl apply` of objects that the test wrote as such. */
export function apply(cluster: TestCluster, ...items: object[]): Promise<string> {
  return cluster.kubectlWith(items.map(item => JSON.stringify(item)).join('\n---\n'), 'apply', '--filename=-')
}

type Container = Partial<core.Container>
type PodSpec = Omit<Partial<core.PodSpec>, 'containers' | 'initContainers'> & {
  containers?: Container[]
  initContainers?: Container[]
}

/** A pod whose containers run the demo image, each by a shell script. It ends at once when deleted. */
export function scriptPod(name: string, script: string, spec: PodSpec = {}, container: Container = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [scriptContainer(script, { name: 'main', ...container })],
      ...spec,
    },
  }
}

/** A container that runs the shell script. */
export const scriptContainer = (script: string, container: Container & { name: string }) => ({
  image: DEMO,
  command: ['sh', '-c', script],
  ...container,
})

export const getPod = (cluster: TestCluster, name: string) => cluster.json<core.Pod>('get', 'pod', name)

export async function getPods(cluster: TestCluster, selector: string): Promise<core.Pod[]> {
  const { items } = await cluster.json<{ items: core.Pod[] }>('get', 'pods', `--selector=${selector}`)
  return items
}

/** Applies the pods and resolves when all are Ready. */
export async function startPods(cluster: TestCluster, ...pods: { metadata: { name: string } }[]): Promise<void> {
  await apply(cluster, ...pods)
  await ready(cluster, ...pods.map(pod => pod.metadata.name))
}

export async function ready(cluster: TestCluster, ...names: string[]): Promise<void> {
  await cluster.kubectl('wait', '--for=condition=Ready', '--timeout=60s', ...names.map(name => `pod/${name}`))
}

/** Runs the shell script in the pod's first container and returns what it printed. */
export const inPod = (cluster: TestCluster, name: string, script: string) =>
  cluster.kubectl('exec', name, '--', 'sh', '-c', script)
