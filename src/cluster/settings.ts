import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { ip } from '../api/index.ts'
import { readJson, replaceFile } from './files.ts'
import { DATA_ROOT, type Layout, layout, RUN_ROOT } from './layout.ts'

/** What was decided when the cluster was first started. Kept for its life, since its objects hold these addresses. */
export interface Settings {
  name: string
  dataDirectory: string
  nodeName: string
  nodeIp: string
  /** A /16, from which each node gets a /24. */
  podCidr: string
  serviceCidr: string
  domain: string
  ports: Ports
  /** The user's file that has the cluster's context. */
  kubeconfig: string
}

export interface Ports {
  api: number
  kubelet: number
  kubeletHealth: number
  controllerManager: number
  scheduler: number
  proxyHealth: number
  dns: number
}

/** Upstream's; the second cluster on a machine gets others. */
const USUAL_PORTS: Ports = {
  api: 6443,
  kubelet: 10250,
  kubeletHealth: 10248,
  controllerManager: 10257,
  scheduler: 10259,
  proxyHealth: 10256,
  dns: 10053,
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?$/

export function checkName(name: string): void {
  if (NAME.test(name)) return
  throw new Error(
    `--name ${JSON.stringify(name)}: must be at most 30 lower case letters, digits and '-', and start and end with a letter or digit`,
  )
}

export function checkRoot(): void {
  if (process.getuid?.() !== 0)
    throw new Error('a node needs root: containers, networks and mounts; try again with sudo')
}

/** The address `offset` places into the network: 1 for the `kubernetes` Service, 10 for DNS. */
export const addressIn = (cidr: string, offset: number): string => ip.addressAt(ip.parseCidr(cidr), offset)

/** The layout and settings of a cluster that exists, or undefined. Finds a data directory that `up` was given. */
export function findCluster(name: string, dataDirectory?: string): { paths: Layout; settings: Settings } | undefined {
  const claimed = readJson<Settings>(claimFile(name))
  const paths = layout(name, dataDirectory ?? claimed?.dataDirectory)
  const settings = readJson<Settings>(paths.settings)
  if (settings && settings.name !== name) {
    throw new Error(`${paths.data} holds the cluster ${settings.name}; give that --name, or another --data-dir`)
  }
  return settings && { paths, settings }
}

/** What the running system knows a cluster by, until the machine restarts. */
export const claimFile = (name: string) => join(RUN_ROOT, name, 'cluster.json')

export interface NewCluster {
  name: string
  paths: Layout
  apiPort?: number
  kubeconfig: string
}

/** Picks addresses and ports that neither the machine nor another cluster on it uses, and writes them down. */
export async function createSettings({ name, paths, apiPort, kubeconfig }: NewCluster): Promise<Settings> {
  const others = otherClusters(name)
  const ports = await pickPorts(apiPort, new Set(others.flatMap(other => Object.values(other.ports))))
  const settings: Settings = {
    name,
    dataDirectory: paths.data,
    nodeName: hostname().toLowerCase(),
    nodeIp: hostAddress(),
    podCidr: pickNetwork(
      244,
      -1,
      others.map(other => other.podCidr),
    ),
    serviceCidr: pickNetwork(
      96,
      1,
      others.map(other => other.serviceCidr),
    ),
    domain: 'cluster.local',
    ports,
    kubeconfig,
  }
  saveSettings(paths, settings)
  return settings
}

export function saveSettings(paths: Layout, settings: Settings): void {
  for (const directory of [paths.data, paths.run]) mkdirSync(directory, { recursive: true, mode: 0o711 })
  const text = `${JSON.stringify(settings, null, 2)}\n`
  replaceFile(paths.settings, text)
  replaceFile(claimFile(settings.name), text)
}

/** Rejects when another program listens on the port. */
export async function checkPortFree(port: number): Promise<void> {
  if (await isPortFree(port)) return
  throw new Error(`port ${port} is in use by another program; stop it, or choose another port with --api-port`)
}

function otherClusters(name: string): Settings[] {
  const found = [DATA_ROOT, RUN_ROOT].flatMap(root => {
    const names = existsSync(root) ? readdirSync(root) : []
    return names.filter(other => other !== name).map(other => readJson<Settings>(join(root, other, 'cluster.json')))
  })
  return found.filter(settings => settings !== undefined)
}

async function pickPorts(apiPort: number | undefined, taken: Set<number>): Promise<Ports> {
  const ports = { ...USUAL_PORTS }
  for (const [name, usual] of Object.entries(USUAL_PORTS) as [keyof Ports, number][]) {
    if (name === 'api' && apiPort) {
      ports.api = apiPort
      await checkPortFree(apiPort)
    } else {
      // The API's neighbours are nobody's; the others lie close together, so that a step must clear them all.
      ports[name] = await pickPort(usual, name === 'api' ? 1 : 100, taken)
    }
    taken.add(ports[name])
  }
  return ports
}

async function pickPort(usual: number, step: number, taken: Set<number>): Promise<number> {
  for (let port = usual; port < 32768; port += step) {
    if (!taken.has(port) && (await isPortFree(port))) return port
  }
  throw new Error(`no free port from ${usual} on`)
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}

/** A 10.N.0.0/16 that no cluster and no route of the machine has, N counted from `first` by `step`. */
function pickNetwork(first: number, step: number, taken: string[]): string {
  const used = new Set(taken.map(secondOctet))
  for (const line of readFileSync('/proc/net/route', 'latin1').split('\n').slice(1)) {
    const destination = Buffer.from(line.split('\t')[1] ?? '', 'hex')
    if (destination[3] === 10) used.add(destination[2] ?? 0)
  }
  for (let octet = first; octet > 0 && octet < 256; octet += step) {
    if (!used.has(octet)) return `10.${octet}.0.0/16`
  }
  throw new Error('no free network in 10.0.0.0/8: purge a cluster that is no longer needed')
}

const secondOctet = (cidr: string) => Number(cidr.split('.')[1])

/** The machine's own address towards the world, else any that is not loopback. */
export function hostAddress(): string {
  const route = readFileSync('/proc/net/route', 'latin1')
    .split('\n')
    .map(line => line.split('\t'))
    .find(fields => fields[1] === '00000000')
  const interfaces = networkInterfaces()
  const candidates = [...(interfaces[route?.[0] ?? ''] ?? []), ...Object.values(interfaces).flat()]
  const address = candidates.find(item => item?.family === 'IPv4' && !item.internal)
  return address?.address ?? '127.0.0.1'
}
