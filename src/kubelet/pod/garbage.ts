import { rm } from 'node:fs/promises'
import type { PodContext } from './context.ts'
import { rotatedLogs } from './log-rotation.ts'
import type { PodState } from './state.ts'

/** Beside the newest of a name, how many that ended are kept, for `kubectl logs --previous`. */
const KEEP_DEAD = 1

/** Removes containers that nobody asks about any more, with their logs, and sandboxes that were replaced. */
export async function removeDeadContainers(context: PodContext, state: PodState): Promise<void> {
  const seen = new Map<string, number>()
  const old = state.containers.filter(container => {
    const before = seen.get(container.name) ?? 0
    seen.set(container.name, before + 1)
    return before > KEEP_DEAD && (container.state === 'exited' || container.state === 'created')
  })
  await Promise.all(old.map(container => removeContainer(context, container)))
  const inUse = new Set(
    state.containers.filter(container => !old.includes(container)).map(({ sandboxId }) => sandboxId),
  )
  const replaced = state.sandboxes.slice(1).filter(({ id, ready }) => !ready && !inUse.has(id))
  await Promise.all(replaced.map(({ id }) => context.runtime.removeSandbox(id)))
  context.state.forget([...old, ...replaced].map(({ id }) => id))
}

async function removeContainer(
  { runtime }: PodContext,
  { id, logPath }: { id: string; logPath: string },
): Promise<void> {
  await runtime.removeContainer(id)
  if (!logPath) return
  for (const path of [logPath, ...(await rotatedLogs(logPath))]) await rm(path, { force: true })
}

/** Removes all that the runtime has of a pod, and its logs. */
export async function removePod(context: PodContext, state: PodState, logDirectory: string): Promise<void> {
  const { runtime } = context
  await Promise.all(state.containers.map(({ id }) => runtime.removeContainer(id)))
  await Promise.all(state.sandboxes.map(({ id }) => runtime.removeSandbox(id)))
  context.state.forget([...state.containers, ...state.sandboxes].map(({ id }) => id))
  await rm(logDirectory, { recursive: true, force: true })
}
