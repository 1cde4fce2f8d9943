import { type core, isSidecar } from '../../api/index.ts'
import { annotations } from '../runtime/runtime.ts'
import { type PodContext, tell } from './context.ts'
import { runHook } from './hooks.ts'
import { containerNamed, initContainers } from './spec.ts'
import { type PodState, type RunContainer, running } from './state.ts'

/** Seconds that every container gets to end by itself. */
const MINIMUM_GRACE = 2
const DEFAULT_GRACE = 30

export interface KillOptions {
  message?: string
  /** Seconds, instead of the pod's own. */
  grace?: number
}

/** Seconds that the pod's containers have: what the deletion asked for, or what the pod says. */
export const gracePeriodOf = (pod: core.Pod): number =>
  pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE

/** Lets a container end: preStop, the stop signal, and after the grace period SIGKILL. */
export async function killContainer(
  context: PodContext,
  pod: core.Pod,
  container: RunContainer,
  { message, grace = gracePeriodOf(pod) }: KillOptions = {},
): Promise<void> {
  const { state, clock } = context
  tell(context, pod, 'Normal', 'Killing', message ?? `Stopping container ${container.name}`, container.name)
  const began = clock.monotonic()
  if (grace > 0) await runPreStop(context, pod, container, grace)
  const left = grace - Math.floor((clock.monotonic() - began) / 1000)
  await state.stop(container.id, Math.max(left, MINIMUM_GRACE))
}

async function runPreStop(context: PodContext, pod: core.Pod, container: RunContainer, grace: number): Promise<void> {
  const spec = containerNamed(pod, container.name)
  const written = container.annotations[annotations.preStopHandler]
  const handler: core.LifecycleHandler | undefined =
    spec?.lifecycle?.preStop ?? (written ? JSON.parse(written) : undefined)
  if (!handler) return
  const late = new AbortController()
  const { runtime, clock, log } = context
  const target = {
    runtime,
    clock,
    containerId: container.id,
    container: spec ?? { name: container.name, resources: {} },
    podIp: pod.status?.podIP ?? '',
  }
  const hook = runHook(handler, target, late.signal).catch((error: Error) => {
    log.warn({ pod: pod.metadata.name, container: container.name, error: error.message }, 'the preStop hook failed')
    tell(context, pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', container.name)
  })
  await Promise.race([hook, clock.sleep(grace * 1000, late.signal).catch(() => {})])
  late.abort()
}

/** Ends all containers of the pod: the regular ones together, then sidecars in the reverse of their order. */
export async function killContainers(
  context: PodContext,
  pod: core.Pod,
  state: PodState,
  onStopped: () => void,
  options: KillOptions = {},
): Promise<void> {
  const alive = running(state)
  const sidecars = initContainers(pod)
    .filter(isSidecar)
    .map(({ name }) => name)
  const began = context.clock.monotonic()
  const stop = async (container: RunContainer, grace: number | undefined) => {
    await killContainer(context, pod, container, { ...options, ...(grace === undefined ? {} : { grace }) })
    onStopped()
  }
  await Promise.all(
    alive.filter(({ name }) => !sidecars.includes(name)).map(container => stop(container, options.grace)),
  )
  for (const name of sidecars.reverse()) {
    const used = Math.floor((context.clock.monotonic() - began) / 1000)
    const grace = Math.max(0, (options.grace ?? gracePeriodOf(pod)) - used)
    for (const container of alive) if (container.name === name) await stop(container, grace)
  }
}
