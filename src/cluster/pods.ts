import { readFileSync } from 'node:fs'
import { type Clock, type Logger, silentLogger } from '../base/index.ts'
import type { Layout } from './layout.ts'
import { findShims } from './leftovers.ts'
import { run, signalProcess, waitUntil } from './process.ts'

/** A pod's own grace period is for when it is deleted; this is a machine that goes down. */
const GRACE_SECONDS = 3

/** Stops every container and sandbox of the cluster through its container runtime, which takes down their networks too. */
export async function stopPods(paths: Layout, clock: Clock, log: Logger = silentLogger): Promise<void> {
  const { connectCri } = await import('../kubelet/index.ts')
  const runtime = connectCri({ endpoint: paths.socket, clock, log })
  try {
    const containers = (await runtime.listContainers()).filter(container => container.state === 'running')
    await Promise.allSettled(containers.map(container => runtime.stopContainer(container.id, GRACE_SECONDS)))
    const sandboxes = await runtime.listSandboxes()
    const results = await Promise.allSettled(sandboxes.map(sandbox => runtime.stopSandbox(sandbox.id)))
    const failed = results.filter(result => result.status === 'rejected')
    if (failed.length > 0)
      log.warn({ error: String(failed[0]?.reason), count: failed.length }, 'could not stop sandboxes')
  } finally {
    runtime.close()
  }
}

/** The hard way, when no container runtime answers any more: kills the shims, and with each what it holds. */
export async function killPods(paths: Layout, clock: Clock): Promise<void> {
  const shims = findShims(paths)
  for (const shim of shims) {
    for (const child of descendants(shim.pid)) process.kill(child, 'SIGKILL')
    signalProcess(shim, 'SIGKILL')
  }
  await waitUntil(() => findShims(paths).length === 0, 5_000, clock)
}

/** Takes off every mount below the cluster's directories, the innermost first. */
export async function unmountAll(paths: Layout): Promise<void> {
  const roots = [`${paths.data}/`, `${paths.run}/`]
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => unescapeOctal(line.split(' ')[1] ?? ''))
    .filter(point => roots.some(root => point.startsWith(root)))
    .reverse()
  for (const point of points) await run('umount', ['--lazy', point])
}

/** Spaces and the like are written as `\\040` in the mount table. */
const unescapeOctal = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))

function descendants(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number)
    return children.flatMap(child => [child, ...descendants(child)])
  } catch {
    return []
  }
}
