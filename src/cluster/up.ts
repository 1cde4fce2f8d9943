import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isConditionTrue, resources } from '../api/index.ts'
import { type Clock, systemClock } from '../base/index.ts'
import { type Client, connect, loadKubeconfig } from '../client/index.ts'
import { writeContainerdConfig } from './containerd.ts'
import { replaceFile } from './files.ts'
import { ensureBuiltInImages } from './images.ts'
import { ensureKubeconfigs, mergeContext, userKubeconfig } from './kubeconfig.ts'
import { type Layout, layout } from './layout.ts'
import { readState, runningSupervisor, stopLeftovers } from './leftovers.ts'
import { MACHINE, withLock } from './lock.ts'
import { checkMachine } from './machine.ts'
import { ensurePki } from './pki.ts'
import { waitUntil } from './process.ts'
import { kubeletConfig, kubeletConfigFile, logFile } from './programs.ts'
import {
  addressIn,
  checkName,
  checkPortFree,
  createSettings,
  findCluster,
  hostAddress,
  type Settings,
  saveSettings,
} from './settings.ts'

export interface UpOptions {
  name: string
  dataDir?: string
  apiPort?: number
  kubeconfig?: string
  /** How long to wait for the node to be Ready, in milliseconds. */
  wait: number
  /** This program: Node and the script, to start the processes with. */
  entry: string[]
  /** Is told each step as it is done. */
  progress: (message: string) => void
}

export interface UpResult {
  settings: Settings
  alreadyRunning: boolean
}

/** Brings the cluster up, or finds it up; resolves when its node is Ready. */
export async function up(options: UpOptions): Promise<UpResult> {
  checkName(options.name)
  checkMachine()
  const clock = systemClock
  const { settings, paths, alreadyRunning } = await withLock(options.name, clock, () => ensureStarted(options, clock))
  const admin = join(paths.kubeconfigs, 'admin.conf')
  const progress = alreadyRunning ? () => {} : options.progress
  await awaitReady({ ...options, progress }, settings, paths, admin, clock)
  await mergeContext(settings.kubeconfig, settings.name, readFileSync(admin, 'utf8'))
  return { settings, alreadyRunning }
}

async function ensureStarted(options: UpOptions, clock: Clock) {
  const { name, progress } = options
  const found = findCluster(name, options.dataDir)
  const paths = found?.paths ?? layout(name, options.dataDir)
  if (found && runningSupervisor(paths)) {
    return { settings: changeKubeconfig(found.settings, paths, options), paths, alreadyRunning: true }
  }
  await stopLeftovers(paths, clock)
  rmSync(paths.state, { force: true })
  const settings = found
    ? await adjustSettings(found.settings, paths, options)
    : await newSettings(options, paths, clock)
  await prepareFiles(settings, paths, clock)
  progress(`Certificates, keys and configuration are in ${paths.data}`)
  startSupervisor(settings, paths, options.entry)
  return { settings, paths, alreadyRunning: false }
}

/** Two new clusters must not pick the same ports. */
const newSettings = ({ name, apiPort, kubeconfig }: UpOptions, paths: Layout, clock: Clock) =>
  withLock(MACHINE, clock, () => createSettings({ name, paths, apiPort, kubeconfig: userKubeconfig(kubeconfig) }))

/** The machine may have got another address since, and the user may want another port. */
async function adjustSettings(settings: Settings, paths: Layout, options: UpOptions): Promise<Settings> {
  const adjusted = {
    ...settings,
    nodeIp: hostAddress(),
    ports: { ...settings.ports, api: options.apiPort ?? settings.ports.api },
    kubeconfig: options.kubeconfig ? userKubeconfig(options.kubeconfig) : settings.kubeconfig,
  }
  await checkPortFree(adjusted.ports.api)
  saveSettings(paths, adjusted)
  return adjusted
}

function changeKubeconfig(settings: Settings, paths: Layout, { kubeconfig, apiPort }: UpOptions): Settings {
  if (apiPort && apiPort !== settings.ports.api) {
    throw new Error(`the cluster runs with port ${settings.ports.api}; \`k8ts down\` first to change it`)
  }
  if (!kubeconfig) return settings
  const changed = { ...settings, kubeconfig: userKubeconfig(kubeconfig) }
  saveSettings(paths, changed)
  return changed
}

async function prepareFiles(settings: Settings, paths: Layout, clock: Clock): Promise<void> {
  const { name, nodeName, nodeIp, serviceCidr, domain } = settings
  mkdirSync(paths.logs, { recursive: true })
  mkdirSync(paths.kubelet, { recursive: true })
  const serviceIp = addressIn(serviceCidr, 1)
  const { authority } = await ensurePki({ directory: paths.pki, nodeName, nodeIp, serviceIp, domain, clock })
  const server = `https://127.0.0.1:${settings.ports.api}`
  await ensureKubeconfigs({ directory: paths.kubeconfigs, clusterName: name, nodeName, server, authority })
  writeContainerdConfig(paths)
  replaceFile(kubeletConfigFile(paths), `${JSON.stringify(kubeletConfig(settings, paths), null, 2)}\n`)
}

/** In the background, in a session of its own. */
function startSupervisor(settings: Settings, paths: Layout, [node = '', ...script]: string[]): void {
  const output = openSync(logFile(paths, 'supervisor'), 'a')
  const flags = ['--max-semi-space-size=1', '--max-old-space-size=64']
  const args = [...flags, ...script, 'supervise', `--name=${settings.name}`, `--data-dir=${paths.data}`]
  spawn(node, args, { stdio: ['ignore', output, output], detached: true, cwd: '/' }).unref()
  closeSync(output)
}

async function awaitReady(options: UpOptions, settings: Settings, paths: Layout, admin: string, clock: Clock) {
  const { progress, wait } = options
  const deadline = clock.monotonic() + wait
  const left = () => Math.max(0, deadline - clock.monotonic())
  const isReady = (program: string) => readState(paths)?.programs[program]?.phase === 'ready'
  const unready = () => Object.entries(readState(paths)?.programs ?? {}).find(([, { phase }]) => phase !== 'ready')?.[0]
  const until = async (done: () => boolean | Promise<boolean>, program: string, what: string) => {
    if (await waitUntil(done, left(), clock)) return
    throw new Error(notReady(what, paths, program, wait, settings.name))
  }
  const images = until(() => isReady('containerd'), 'containerd', 'containerd does not answer').then(async () => {
    await ensureBuiltInImages(paths)
    progress(`containerd runs, with the images k8ts.local/pause and k8ts.local/demo`)
  })
  // Told below, after the more telling failure of the API server.
  images.catch(() => {})
  await until(() => isReady('apiserver'), 'apiserver', 'the API server is not ready')
  progress(`API server answers at https://127.0.0.1:${settings.ports.api}`)
  const client = connect(await loadKubeconfig(admin))
  try {
    await until(() => isNodeReady(client, settings.nodeName), 'kubelet', `node ${settings.nodeName} is not Ready`)
  } finally {
    await client.close()
  }
  const last = unready()
  if (last) await until(() => !unready(), last, `${last} is not ready`)
  await images
  progress(`Node ${settings.nodeName} is Ready`)
}

async function isNodeReady(client: Client, name: string): Promise<boolean> {
  try {
    const { status } = await client.get(resources.nodes, { name })
    return isConditionTrue(status.conditions, 'Ready')
  } catch {
    return false
  }
}

function notReady(what: string, paths: Layout, program: string, wait: number, name: string): string {
  const file = logFile(paths, program)
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5) : []
  return [
    `${what} after ${wait / 1000} s. The last lines of ${file}:`,
    ...lines.map(line => `    ${line.slice(0, 500)}`),
    `See \`k8ts status --name ${name}\`; \`k8ts down --name ${name}\` stops what runs.`,
  ].join('\n')
}
