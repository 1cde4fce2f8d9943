import { type core, isSidecar } from '../../api/index.ts'
import { containerHash, ephemeralContainers, initContainers, restartPolicyOf } from './spec.ts'
import { latest, type PodState, type RunContainer } from './state.ts'

/** What has to be done so that the runtime has what the pod asks for. */
export interface Actions {
  /** The sandbox and everything in it must go first. */
  killPod: boolean
  /** A new sandbox is needed: the how manyeth. */
  createSandbox: { attempt: number } | undefined
  /** In this order, one after another. */
  start: core.Container[]
  kill: { container: RunContainer; message: string; reason: KillReason }[]
}

export type KillReason = 'StartupProbe' | 'LivenessProbe' | 'Unknown' | undefined

/** What the probes say of a container that runs. */
export interface ProbeView {
  /** Its startup probe succeeded, or it has none. */
  started(container: RunContainer): boolean
  /** The probe that failed so often that the container must be restarted. */
  failed(container: RunContainer): 'StartupProbe' | 'LivenessProbe' | undefined
}

/**
 * The pod as it should be, against the pod as it is. A pure function: all that the kubelet decides about containers
 * is decided here. Source: pkg/kubelet/kuberuntime, computePodActions
 */
export function computeActions(pod: core.Pod, state: PodState, probes: ProbeView): Actions {
  const actions: Actions = { killPod: false, createSandbox: undefined, start: [], kill: [] }
  if (sandboxIsLost(pod, state)) planNewSandbox(pod, state, actions)
  else if (planInit(pod, state, probes, actions)) planContainers(pod, state, probes, actions)
  return actions
}

function sandboxIsLost(pod: core.Pod, { sandbox, sandboxes }: PodState): boolean {
  if (!sandbox?.ready) return true
  if (sandboxes.filter(({ ready }) => ready).length > 1) return true
  if (sandbox.hostNetwork !== Boolean(pod.spec.hostNetwork)) return true
  return !sandbox.hostNetwork && sandbox.ips.length === 0
}

function planNewSandbox(pod: core.Pod, state: PodState, actions: Actions): void {
  actions.killPod = state.sandboxes.length > 0
  const attempt = state.sandboxes[0] ? state.sandboxes[0].metadata.attempt + 1 : 0
  const ranBefore = attempt > 0 && state.containers.length > 0
  if (restartPolicyOf(pod) === 'Never' && ranBefore) return
  const wanted = pod.spec.containers.filter(container => {
    const last = latest(state, container.name)
    return !last || restartPolicyOf(pod) !== 'OnFailure' || last.state !== 'exited' || last.exitCode !== 0
  })
  if (wanted.length === 0) return
  actions.createSandbox = { attempt }
  const [first] = initContainers(pod)
  actions.start = first ? [first] : wanted
}

/** Plans what init containers need; true when the regular ones may run. */
function planInit(pod: core.Pod, state: PodState, probes: ProbeView, actions: Actions): boolean {
  const here = (name: string) =>
    state.containers.find(container => container.name === name && container.sandboxId === state.sandbox?.id)
  const initialized = pod.spec.containers.some(({ name }) => here(name))
  for (const container of initContainers(pod)) {
    const last = here(container.name)
    if (isSidecar(container)) {
      if (planSidecar(container, last, probes, actions) || initialized) continue
      return false
    }
    if (initialized) continue
    if (last?.state === 'exited' && last.exitCode === 0) continue
    if (!last || last.state === 'created') actions.start.push(container)
    else if (last.state === 'unknown') replace(container, last, actions)
    else if (last.state === 'exited') {
      if (restartPolicyOf(pod) === 'Never') actions.killPod = true
      else actions.start.push(container)
    }
    return false
  }
  return true
}

/** True when it runs and has started. */
function planSidecar(
  container: core.Container,
  last: RunContainer | undefined,
  probes: ProbeView,
  actions: Actions,
): boolean {
  if (last?.state !== 'running') {
    if (last?.state === 'unknown') replace(container, last, actions)
    else actions.start.push(container)
    return false
  }
  const reason = reasonToReplace(container, last, probes)
  if (reason) {
    actions.kill.push({ container: last, ...reason })
    actions.start.push(container)
    return false
  }
  return probes.started(last)
}

function planContainers(pod: core.Pod, state: PodState, probes: ProbeView, actions: Actions): void {
  for (const container of ephemeralContainers(pod)) if (!latest(state, container.name)) actions.start.push(container)
  let keep = 0
  for (const container of pod.spec.containers) {
    const last = latest(state, container.name)
    if (!last || last.state === 'created') actions.start.push(container)
    else if (last.state === 'exited') {
      if (shouldRestart(pod, container, last)) actions.start.push(container)
    } else if (last.state === 'unknown') replace(container, last, actions)
    else {
      const reason = reasonToReplace(container, last, probes)
      if (!reason) keep++
      else {
        actions.kill.push({ container: last, ...reason })
        if (reason.reason === undefined || restartPolicyOf(pod) !== 'Never') actions.start.push(container)
      }
    }
  }
  const sidecarsWait = actions.start.some(isSidecar)
  const onlySidecarsLeft = keep === 0 && actions.start.filter(container => !isSidecar(container)).length === 0
  // When the last regular container has ended for good, sidecars have nobody left to serve.
  if (onlySidecarsLeft && actions.kill.length === 0) {
    actions.killPod = true
    if (sidecarsWait) actions.start = []
  }
}

function replace(container: core.Container, last: RunContainer, actions: Actions): void {
  actions.kill.push({
    container: last,
    message: 'Container is in "Unknown" state, try killing it before restart',
    reason: 'Unknown',
  })
  actions.start.push(container)
}

function reasonToReplace(
  container: core.Container,
  last: RunContainer,
  probes: ProbeView,
): { message: string; reason: KillReason } | undefined {
  if (last.hash && last.hash !== containerHash(container))
    return { message: `Container ${container.name} definition changed, will be restarted`, reason: undefined }
  const probe = probes.failed(last)
  if (!probe) return undefined
  const kind = probe === 'StartupProbe' ? 'startup' : 'liveness'
  return { message: `Container ${container.name} failed ${kind} probe, will be restarted`, reason: probe }
}

/** Whether a container that ended is to run again. */
export function shouldRestart(pod: core.Pod, container: core.Container, last: { exitCode: number }): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const listed = rule.exitCodes?.values?.includes(last.exitCode) ?? false
    if (rule.action === 'Restart' && listed === (rule.exitCodes?.operator === 'In')) return true
  }
  const policy = container.restartPolicy ?? restartPolicyOf(pod)
  if (policy === 'Never') return false
  return policy === 'Always' || last.exitCode !== 0
}
