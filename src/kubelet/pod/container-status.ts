import { type core, formatTime } from '../../api/index.ts'
import { shouldRestart } from './actions.ts'
import { ephemeralContainers, initContainers, restartPolicyOf } from './spec.ts'
import { latest, type PodState, type RunContainer } from './state.ts'

export interface ContainerView {
  /** Why a container does not run (`CrashLoopBackOff`, `ErrImagePull`, ...), as the last attempt to start it found. */
  reasons: ReadonlyMap<string, core.ContainerStateWaiting>
  ready(container: RunContainer): boolean
  started(container: RunContainer): boolean
  /** No container will be started any more: the pod is going away or has ended. */
  ending: boolean
  /** `containerd`, the scheme of container ids. */
  runtimeName: string
}

type Kind = 'init' | 'regular' | 'ephemeral'

export interface ContainerStatuses {
  initContainerStatuses: core.ContainerStatus[]
  containerStatuses: core.ContainerStatus[]
  ephemeralContainerStatuses: core.ContainerStatus[]
}

/** What the API says of a pod's containers. */
export function containerStatuses(pod: core.Pod, state: PodState, view: ContainerView): ContainerStatuses {
  const all = (kind: Kind, containers: core.Container[], before: core.ContainerStatus[] = []) =>
    containers.map(container =>
      statusOf(
        pod,
        kind,
        container,
        state,
        view,
        before.find(({ name }) => name === container.name),
      ),
    )
  const { status = {} } = pod
  return {
    initContainerStatuses: all('init', initContainers(pod), status.initContainerStatuses),
    containerStatuses: all('regular', pod.spec.containers, status.containerStatuses),
    ephemeralContainerStatuses: all('ephemeral', ephemeralContainers(pod), status.ephemeralContainerStatuses),
  }
}

function statusOf(
  pod: core.Pod,
  kind: Kind,
  container: core.Container,
  state: PodState,
  view: ContainerView,
  before: core.ContainerStatus | undefined,
): core.ContainerStatus {
  const found = latest(state, container.name)
  if (!found) return withoutContainer(pod, kind, container, view, before)
  const previous = state.containers.filter(({ name }) => name === container.name)[1]
  const present = stateOf(found, view.runtimeName, pod, kind)
  const status: core.ContainerStatus = {
    name: container.name,
    state: present,
    lastState:
      previous?.state === 'exited' ? stateOf(previous, view.runtimeName, pod, kind) : (before?.lastState ?? {}),
    ready: found.state === 'running' && view.ready(found),
    restartCount: found.restartCount,
    image: found.image || container.image || '',
    imageID: found.imageRef,
    containerID: `${view.runtimeName}://${found.id}`,
    started: found.state === 'running' && view.started(found),
    ...resourcesOf(container),
  }
  if (kind === 'init' && container.restartPolicy !== 'Always')
    status.ready = found.state === 'exited' && found.exitCode === 0
  const reason = view.reasons.get(container.name)
  if (reason && found.state === 'exited' && !view.ending && willRestart(pod, kind, container, found)) {
    status.lastState = present
    status.state = { waiting: { ...reason } }
  }
  return status
}

/** Init containers that succeeded are not run again, whatever the policy. */
function willRestart(pod: core.Pod, kind: Kind, container: core.Container, found: RunContainer): boolean {
  if (kind === 'ephemeral') return false
  if (kind === 'init' && container.restartPolicy !== 'Always')
    return restartPolicyOf(pod) !== 'Never' && found.exitCode !== 0
  return shouldRestart(pod, container, found)
}

/** The one the runtime does not have: not made yet, or made and removed. */
function withoutContainer(
  pod: core.Pod,
  kind: Kind,
  container: core.Container,
  view: ContainerView,
  before: core.ContainerStatus | undefined,
): core.ContainerStatus {
  const status: core.ContainerStatus = {
    name: container.name,
    state: { waiting: view.reasons.get(container.name) ?? { reason: waitingReason(pod, kind) } },
    lastState: before?.lastState ?? {},
    ready: false,
    restartCount: before?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    started: false,
    ...resourcesOf(container),
  }
  if (before?.state.terminated && (view.ending || !view.reasons.has(container.name)))
    return { ...before, ready: kind === 'init' && before.state.terminated.exitCode === 0, started: false }
  if (before?.state.running) {
    const terminated = lost(view.ending)
    return view.ending
      ? { ...status, state: { terminated }, imageID: before.imageID, containerID: before.containerID }
      : { ...status, lastState: { terminated }, restartCount: before.restartCount + 1 }
  }
  if (before?.imageID) Object.assign(status, { imageID: before.imageID, containerID: before.containerID })
  return status
}

const lost = (ending: boolean): core.ContainerStateTerminated => ({
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: `The container could not be located when the pod was ${ending ? 'terminated' : 'deleted.  The container used to be Running'}`,
})

const waitingReason = (pod: core.Pod, kind: Kind) =>
  kind === 'init' || initContainers(pod).length > 0 ? 'PodInitializing' : 'ContainerCreating'

function stateOf(found: RunContainer, runtimeName: string, pod: core.Pod, kind: Kind): core.ContainerState {
  if (found.state === 'running') return { running: { startedAt: formatTime(found.startedAt) } }
  if (found.state === 'created') return { waiting: { reason: waitingReason(pod, kind) } }
  return {
    terminated: {
      exitCode: found.exitCode,
      reason: found.reason || (found.exitCode === 0 ? 'Completed' : 'Error'),
      ...(found.message ? { message: found.message } : {}),
      startedAt: found.startedAt ? formatTime(found.startedAt) : formatTime(found.createdAt),
      finishedAt: formatTime(found.finishedAt || found.createdAt),
      containerID: `${runtimeName}://${found.id}`,
    },
  }
}

/** What the container was given, as KEP-1287 shows it. */
function resourcesOf({ resources, volumeMounts = [] }: core.Container): Partial<core.ContainerStatus> {
  const { limits, requests } = resources ?? {}
  return {
    ...(requests ? { allocatedResources: requests } : {}),
    resources: { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) },
    ...(volumeMounts.length > 0
      ? {
          volumeMounts: volumeMounts.map(({ name, mountPath, readOnly }) => ({
            name,
            mountPath,
            ...(readOnly ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
          })),
        }
      : {}),
  }
}
