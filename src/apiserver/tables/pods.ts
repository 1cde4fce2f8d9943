import { type core, findCondition, isConditionTrue, isPodTerminal, isSidecar } from '../../api/index.ts'
import { ageColumn, formatLabels, NONE, nameColumn, templateColumns, text, wide } from './columns.ts'
import { since } from './duration.ts'
import type { Column } from './table.ts'

interface Summary {
  ready: number
  total: number
  status: string
  restarts: number
  /** RFC 3339; when a container last ended and was started again. */
  lastRestart: string | undefined
}

export const podColumns: Column<core.Pod>[] = [
  nameColumn,
  text('Ready', 'Containers that are ready, out of all.', pod => {
    const { ready, total } = summarize(pod)
    return `${ready}/${total}`
  }),
  text('Status', 'The state of the pod and, in trouble, the reason.', pod => summarize(pod).status),
  text('Restarts', 'How often its containers were restarted, and when last.', (pod, now) => {
    const { restarts, lastRestart } = summarize(pod)
    return restarts && lastRestart ? `${restarts} (${since(lastRestart, now)} ago)` : `${restarts}`
  }),
  ageColumn,
  wide(text('IP', 'Address of the pod.', ({ status }) => status.podIPs?.[0]?.ip || status.podIP || NONE)),
  wide(text('Node', 'Node that the pod runs on.', ({ spec }) => spec.nodeName || NONE)),
  wide(
    text('Nominated Node', 'Node that is being cleared for the pod.', ({ status }) => status.nominatedNodeName || NONE),
  ),
  wide(text('Readiness Gates', 'Readiness gates that are passed, out of all.', readinessGates)),
]

export const podTemplateColumns: Column<core.PodTemplate>[] = [
  nameColumn,
  ...templateColumns<core.PodTemplate>(({ template }) => template).map(column => ({ ...column, priority: 0 })),
  text('Pod Labels', 'Labels of the pods made from the template.', ({ template }) =>
    formatLabels(template.metadata?.labels),
  ),
]

function readinessGates({ spec, status }: core.Pod): string {
  const gates = spec.readinessGates ?? []
  if (gates.length === 0) return NONE
  const passed = gates.filter(gate => isConditionTrue(status.conditions, gate.conditionType))
  return `${passed.length}/${gates.length}`
}

/** What the columns say of a pod. Source: k8s.io/kubernetes/pkg/printers/internalversion printPod */
function summarize(pod: core.Pod): Summary {
  const { spec, status } = pod
  const sidecars = (spec.initContainers ?? []).filter(isSidecar).length
  const start: Summary = {
    ready: 0,
    total: (spec.containers ?? []).length + sidecars,
    status: ownReason(status),
    restarts: 0,
    lastRestart: undefined,
  }
  const initial = summarizeInit(pod, start)
  const summary =
    initial.initializing && !isConditionTrue(status.conditions, 'Initialized')
      ? initial.all
      : summarizeContainers(pod, initial.sidecars)
  return { ...summary, status: deletionReason(pod) ?? summary.status }
}

function ownReason(status: core.PodStatus): string {
  const gated = findCondition(status.conditions, 'PodScheduled')?.reason === 'SchedulingGated'
  return gated ? 'SchedulingGated' : status.reason || status.phase || ''
}

function deletionReason(pod: core.Pod): string | undefined {
  if (!pod.metadata.deletionTimestamp) return undefined
  if (pod.status.reason === 'NodeLost') return 'Unknown'
  return isPodTerminal(pod) ? undefined : 'Terminating'
}

/** `all` counts every init container; `sidecars` only those that go on running beside the others. */
function summarizeInit({ spec, status }: core.Pod, start: Summary) {
  const all = { ...start }
  const sidecars = { ...start }
  const declared = spec.initContainers ?? []
  const sidecarNames = new Set(declared.filter(isSidecar).map(({ name }) => name))
  for (const [index, container] of (status.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecarNames.has(container.name)
    countRestarts(all, container)
    if (sidecar) countRestarts(sidecars, container)
    if (container.state?.terminated?.exitCode === 0) continue
    if (sidecar && container.started) {
      if (container.ready) all.ready = ++sidecars.ready
      continue
    }
    all.status = sidecars.status = initReason(container, index, declared.length)
    return { all, sidecars, initializing: true }
  }
  return { all, sidecars, initializing: false }
}

function initReason({ state }: core.ContainerStatus, index: number, total: number): string {
  if (state?.terminated) return `Init:${terminatedReason(state.terminated)}`
  const waiting = state?.waiting?.reason
  return waiting && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${index}/${total}`
}

const terminatedReason = ({ reason, signal, exitCode }: core.ContainerStateTerminated) =>
  reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)

function summarizeContainers({ status }: core.Pod, start: Summary): Summary {
  const summary = { ...start }
  let running = false
  // The first container has the last word.
  for (const container of (status.containerStatuses ?? []).toReversed()) {
    countRestarts(summary, container)
    const { state } = container
    if (state?.waiting?.reason) summary.status = state.waiting.reason
    else if (state?.terminated) summary.status = terminatedReason(state.terminated)
    else if (container.ready && state?.running) {
      running = true
      summary.ready++
    }
  }
  if (summary.status === 'Completed' && running)
    summary.status = isConditionTrue(status.conditions, 'Ready') ? 'Running' : 'NotReady'
  return summary
}

function countRestarts(summary: Summary, { restartCount, lastState }: core.ContainerStatus): void {
  summary.restarts += restartCount ?? 0
  const finished = lastState?.terminated?.finishedAt
  if (finished && (!summary.lastRestart || Date.parse(summary.lastRestart) < Date.parse(finished))) {
    summary.lastRestart = finished
  }
}
