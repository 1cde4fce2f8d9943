import { Command, InvalidArgumentError } from 'commander'

/** A subcommand; or what reads its arguments itself. */
type Module = { command: Command } | { run(args: string[]): Promise<void> }

/** One line each, for the help that names them all without loading any. */
const SUMMARIES: Record<string, string> = {
  up: 'start a cluster in the background and wait until its node is Ready',
  down: 'stop a cluster; --purge also removes its data',
  status: 'show each component, its health, its address and its log file',
  image: 'import images onto every node, or list them',
  apiserver: 'run the API server',
  envtest: 'write kube-apiserver, etcd and kubectl into a directory, for test harnesses',
  'controller-manager': 'run the controllers',
  scheduler: 'run the scheduler',
  kubelet: 'run the agent of one node',
  proxy: 'run the Service proxy of one node',
  network: 'run the pod network of one node',
  dns: 'run the DNS server',
  'control-loops': 'run controller-manager and scheduler in one process',
  'node-services': 'run network, proxy and dns in one process',
}

/** Loads the command that `args` name and runs it; its promise is the action's. */
export async function program(commands: Record<string, () => Promise<Module>>, args: string[]): Promise<void> {
  const root = new Command('k8ts').description('Kubernetes, written in TypeScript').version('0.1.0')
  const load = commands[args[0] ?? '']
  if (load) {
    const module = await load()
    if ('run' in module) return module.run(args.slice(1).map(hyphenated))
    root.addCommand(module.command)
  } else {
    for (const [name, summary] of Object.entries(SUMMARIES)) root.command(name).description(summary)
  }
  await root.parseAsync(args.map(hyphenated), { from: 'user' })
}

/** `--service_cluster_ip_range` is `--service-cluster-ip-range`, as for every upstream component. */
function hyphenated(arg: string): string {
  const [name = '', ...value] = arg.split('=')
  return name.startsWith('--') ? [name.replaceAll('_', '-'), ...value].join('=') : arg
}

export function port(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value < 65536) return value
  throw new InvalidArgumentError('must be a port number.')
}

export function number(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value)) return value
  throw new InvalidArgumentError('must be a number.')
}

/** `30s`, `2m`, `1m30s`, or a bare number of seconds; in milliseconds. */
export function duration(text: string): number {
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)]
  if (parts.map(part => part[0]).join('') === text && text !== '') {
    return parts.reduce((sum, [, value, unit]) => sum + Number(value) * (units[unit ?? ''] ?? 0), 0)
  }
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  throw new InvalidArgumentError('must be a duration such as 90s or 2m.')
}

/** A Go boolean flag: `--leader-elect`, `--leader-elect=false`. */
export function boolean(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true
  if (/^(0|f|false)$/i.test(text)) return false
  throw new InvalidArgumentError('must be true or false.')
}

export const collect = (text: string, before: string[] = []) => [...before, ...text.split(',')]

/** Which cluster of this machine. */
export const clusterOptions = (command: Command) =>
  command
    .option('--name <name>', 'the name of the cluster, and of its context in the kubeconfig', 'k8ts')
    .option('--data-dir <directory>', 'where the cluster keeps its data (default: /var/lib/k8ts/NAME)')
