import { spawn } from 'node:child_process'
import { type Clock, systemClock } from '../base/index.ts'
import { type Layout, layout } from './layout.ts'
import { findShims, runningSupervisor, stopLeftovers } from './leftovers.ts'
import { withLock } from './lock.ts'
import { killPods, stopPods, unmountAll } from './pods.ts'
import { run, stopProcess, waitUntil } from './process.ts'
import { checkName, checkRoot, findCluster } from './settings.ts'

export interface DownOptions {
  name: string
  dataDir?: string
  /** Also remove what `down` leaves: the data, network devices, tables, cgroups and the kubeconfig's context. */
  purge: boolean
  progress: (message: string) => void
}

/** The supervisor stops a handful of programs at once, and the pods between. */
const STOP_TIMEOUT = 60_000
const RUNTIME_START = 10_000

/** Stops the cluster's processes and pods; its data stay unless `purge`. False when there is no such cluster. */
export async function down(options: DownOptions): Promise<boolean> {
  checkName(options.name)
  checkRoot()
  return withLock(options.name, systemClock, async () => {
    const found = findCluster(options.name, options.dataDir)
    const paths = found?.paths ?? layout(options.name, options.dataDir)
    const supervisor = runningSupervisor(paths)
    if (supervisor) await stopProcess(supervisor, STOP_TIMEOUT, systemClock)
    await stopLeftovers(paths, systemClock)
    await stopRemainingPods(paths, systemClock)
    await unmountAll(paths)
    if (found) options.progress(`Stopped cluster ${options.name}`)
    if (options.purge) {
      const { purge } = await import('./purge.ts')
      await purge(options.name, paths, found?.settings)
      if (found) options.progress(`Removed its data, network, cgroups and kubeconfig context`)
    }
    return found !== undefined
  })
}

/** Pods that outlived their runtime, after a supervisor's violent end: the runtime is started once more to end them. */
async function stopRemainingPods(paths: Layout, clock: Clock): Promise<void> {
  if (findShims(paths).length === 0) return
  const runtime = spawn('containerd', ['--config', `${paths.containerd}/config.toml`], { stdio: 'ignore' })
  runtime.on('error', () => {})
  try {
    const answers = () =>
      run('ctr', ['--address', paths.socket, 'version'], 2_000).then(
        () => true,
        () => false,
      )
    if (await waitUntil(answers, RUNTIME_START, clock)) await stopPods(paths, clock)
  } catch {
    // What it could not stop is killed below.
  } finally {
    runtime.kill()
  }
  await killPods(paths, clock)
}
