import { type core, findCondition, formatTime, isSidecar } from '../../api/index.ts'
import { type ContainerStatuses, type ContainerView, containerStatuses } from './container-status.ts'
import { qosClassOf } from './resources.ts'
import { initContainers, restartPolicyOf } from './spec.ts'
import type { PodState } from './state.ts'

export interface StatusView extends ContainerView {
  now: number
  nodeIps: string[]
  /** Set when the kubelet itself ended the pod: `Evicted`, `DeadlineExceeded`. */
  ended?: { reason: string; message: string }
}

/** What the API says of a pod, from what the runtime has and what was said before. A pure function. */
export function podStatus(pod: core.Pod, state: PodState, view: StatusView): core.PodStatus {
  const statuses = containerStatuses(pod, state, view)
  const before = pod.status ?? {}
  const phase = lasting(before.phase) ?? (view.ended ? 'Failed' : phaseOf(pod, statuses, view.ending))
  const ips = pod.spec.hostNetwork ? view.nodeIps : (state.sandbox?.ips ?? [])
  const status: core.PodStatus = {
    phase,
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    ...(view.ended ?? kept(before, 'reason', 'message')),
    hostIP: view.nodeIps[0],
    hostIPs: view.nodeIps.map(ip => ({ ip })),
    ...(ips.length > 0 ? { podIP: ips[0], podIPs: ips.map(ip => ({ ip })) } : kept(before, 'podIP', 'podIPs')),
    startTime: before.startTime ?? formatTime(view.now),
    qosClass: qosClassOf(pod),
    containerStatuses: statuses.containerStatuses,
    ...(statuses.initContainerStatuses.length > 0 ? { initContainerStatuses: statuses.initContainerStatuses } : {}),
    ...(statuses.ephemeralContainerStatuses.length > 0
      ? { ephemeralContainerStatuses: statuses.ephemeralContainerStatuses }
      : {}),
  }
  status.conditions = conditionsOf(pod, state, statuses, phase, view)
  return status
}

const lasting = (phase: core.PodStatus['phase']) => (phase === 'Succeeded' || phase === 'Failed' ? phase : undefined)

/** What others, or an earlier look, found out and we do not know better now. */
function kept<K extends keyof core.PodStatus>(before: core.PodStatus, ...keys: K[]): Partial<core.PodStatus> {
  const entries = keys.map(key => [key, before[key]] as const).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries)
}

type Phase = NonNullable<core.PodStatus['phase']>

/** Source: pkg/kubelet/kubelet_pods.go, getPhase */
export function phaseOf(pod: core.Pod, statuses: ContainerStatuses, ending: boolean): Phase {
  const policy = restartPolicyOf(pod)
  const init = initContainers(pod)
  let initializing = false
  for (const [index, { state, lastState }] of statuses.initContainerStatuses.entries()) {
    const sidecar = init[index] && isSidecar(init[index])
    if (sidecar) {
      if (!state.running || !statuses.initContainerStatuses[index]!.started) initializing = true
    } else if (state.terminated) {
      if (state.terminated.exitCode === 0) continue
      if (policy === 'Never') return 'Failed'
      initializing = true
    } else {
      if (lastState.terminated && lastState.terminated.exitCode !== 0 && policy === 'Never') return 'Failed'
      initializing = true
    }
  }
  const of = statuses.containerStatuses
  const begun = of.some(({ state, lastState }) => state.running || state.terminated || lastState.terminated)
  if (initializing && !begun && !ending) return 'Pending'

  const runs = of.filter(({ state }) => state.running).length
  const waits = of.filter(({ state, lastState }) => !state.running && !state.terminated && !lastState.terminated).length
  const ended = of.flatMap(({ state, lastState }) =>
    state.running ? [] : (state.terminated ?? lastState.terminated ?? []),
  )
  if (ending && runs === 0) {
    if (ended.length === 0 && init.length + of.length > 0) return 'Failed'
    return waits === 0 && ended.every(({ exitCode }) => exitCode === 0) ? 'Succeeded' : 'Failed'
  }
  if (waits > 0) return 'Pending'
  if (runs > 0) return 'Running'
  if (policy === 'Always' || of.some(({ state }) => state.waiting)) return 'Running'
  if (ended.every(({ exitCode }) => exitCode === 0)) return 'Succeeded'
  return policy === 'Never' ? 'Failed' : 'Running'
}

interface Verdict {
  status: boolean
  reason?: string
  message?: string
}

function conditionsOf(
  pod: core.Pod,
  state: PodState,
  statuses: ContainerStatuses,
  phase: Phase,
  view: StatusView,
): core.PodCondition[] {
  const containers = containersReady(pod, statuses, phase)
  const verdicts: Record<string, Verdict> = {
    PodReadyToStartContainers: { status: sandboxIsUp(state) },
    Initialized: initialized(pod, statuses, phase),
    Ready: ready(pod, containers),
    ContainersReady: containers,
    PodScheduled: { status: true },
  }
  const before = pod.status?.conditions ?? []
  const generation = pod.metadata.generation
  const own = Object.entries(verdicts).map(([type, { status, reason, message }]): core.PodCondition => {
    const old = before.find(condition => condition.type === type)
    const value = status ? 'True' : 'False'
    return {
      type,
      ...(generation ? { observedGeneration: generation } : {}),
      status: value,
      lastTransitionTime:
        old?.status === value && old.lastTransitionTime ? old.lastTransitionTime : formatTime(view.now),
      ...(reason ? { reason } : {}),
      ...(message ? { message } : {}),
    }
  })
  // The rest belongs to others: the scheduler, the eviction API, readiness gates.
  return [...own, ...before.filter(({ type }) => !(type in verdicts))]
}

const sandboxIsUp = ({ sandbox }: PodState): boolean =>
  Boolean(sandbox?.ready && (sandbox.hostNetwork || sandbox.ips.length > 0))

function initialized(pod: core.Pod, statuses: ContainerStatuses, phase: Phase): Verdict {
  const init = initContainers(pod)
  if (init.length === 0) return { status: true }
  if (phase === 'Succeeded') return { status: true, reason: 'PodCompleted' }
  const begun = statuses.containerStatuses.some(
    ({ state, lastState }) => state.running || state.terminated || lastState.terminated,
  )
  const incomplete = statuses.initContainerStatuses
    .filter((status, index) => (init[index] && isSidecar(init[index]) ? !status.started : !status.ready))
    .map(({ name }) => name)
  if (begun || incomplete.length === 0) return { status: true }
  return {
    status: false,
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  }
}

function containersReady(pod: core.Pod, statuses: ContainerStatuses, phase: Phase): Verdict {
  if (phase === 'Succeeded') return { status: false, reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: false, reason: 'PodFailed' }
  const init = initContainers(pod)
  const sidecars = statuses.initContainerStatuses.filter((_, index) => init[index] && isSidecar(init[index]))
  const unready = [...sidecars, ...statuses.containerStatuses].filter(({ ready }) => !ready).map(({ name }) => name)
  if (unready.length === 0) return { status: true }
  return {
    status: false,
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  }
}

function ready(pod: core.Pod, containers: Verdict): Verdict {
  if (!containers.status) return containers
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = findCondition(pod.status?.conditions, conditionType)
    if (!condition) return `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
    return condition.status === 'True'
      ? []
      : `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`
  })
  if (messages.length === 0) return { status: true }
  return { status: false, reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
}
