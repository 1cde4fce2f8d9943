import type { core } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import {
  annotations,
  type ContainerStatus,
  labels,
  type Runtime,
  RuntimeError,
  type Sandbox,
  type SandboxStatus,
} from '../runtime/runtime.ts'
import { containerNamed } from './spec.ts'
import { terminationMessage } from './termination-message.ts'

/** A container as the runtime has it, with what its labels say. */
export interface RunContainer extends ContainerStatus {
  name: string
  hash: string
  restartCount: number
  sandboxId: string
  /** It ended, and whether memory ran out may yet be told: until that is known it counts as running. */
  settling?: boolean
}

/** What the runtime has of one pod. Newest first. */
export interface PodState {
  sandboxes: Sandbox[]
  /** The newest sandbox in full, if there is one. */
  sandbox: SandboxStatus | undefined
  containers: RunContainer[]
}

export const latest = (state: PodState, name: string): RunContainer | undefined =>
  state.containers.find(container => container.name === name)

export const running = (state: PodState): RunContainer[] =>
  state.containers.filter(({ state }) => state === 'running' || state === 'unknown')

/**
 * Milliseconds from a container's end in which the runtime may still learn that memory ran out: containerd hears of
 * the end and of its cause from two sources, in any order.
 */
const CAUSE_COMES = 500
/** 128 and the number of SIGKILL. */
const KILLED = 137

/** Reads pods' state; what cannot change any more is asked for once. */
export class StateReader {
  readonly #runtime: Runtime
  readonly #clock: Clock
  readonly #exited = new Map<string, ContainerStatus>()
  readonly #sandboxes = new Map<string, SandboxStatus>()
  /** Containers that the kubelet itself ended or is ending. */
  readonly #stopped = new Set<string>()

  constructor(runtime: Runtime, clock: Clock) {
    this.#runtime = runtime
    this.#clock = clock
  }

  async read(pod: core.Pod): Promise<PodState> {
    const { uid } = pod.metadata
    const [sandboxes, listed] = await Promise.all([
      this.#runtime.listSandboxes({ [labels.podUid]: uid }),
      this.#runtime.listContainers({ [labels.podUid]: uid }),
    ])
    sandboxes.sort((a, b) => b.createdAt - a.createdAt)
    listed.sort((a, b) => b.createdAt - a.createdAt)
    const [sandbox, statuses] = await Promise.all([
      sandboxes[0] && this.#sandbox(sandboxes[0]),
      Promise.all(listed.map(({ id }) => this.#container(pod, id))),
    ])
    const containers = statuses.flatMap((status, index): RunContainer[] =>
      status
        ? [
            {
              ...status,
              name: status.labels[labels.containerName] ?? '',
              hash: status.annotations[annotations.hash] ?? '',
              restartCount: Number(status.annotations[annotations.restartCount] ?? 0),
              sandboxId: listed[index]!.sandboxId,
            },
          ]
        : [],
    )
    return { sandboxes, sandbox, containers }
  }

  /** Stops a container. Whatever ends it from now on, it was the kubelet's wish. */
  async stop(id: string, gracePeriodSeconds: number): Promise<void> {
    this.#stopped.add(id)
    await this.#runtime.stopContainer(id, gracePeriodSeconds)
  }

  /** Lets go of what was kept about objects that are no longer there. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#exited.delete(id)
      this.#sandboxes.delete(id)
      this.#stopped.delete(id)
    }
  }

  async #sandbox(listed: Sandbox): Promise<SandboxStatus | undefined> {
    const known = this.#sandboxes.get(listed.id)
    if (known && known.ready === listed.ready) return known
    const status = await this.#runtime.sandboxStatus(listed.id).catch(unlessGone)
    if (status) this.#sandboxes.set(listed.id, status)
    return status
  }

  async #container(pod: core.Pod, id: string): Promise<(ContainerStatus & Pick<RunContainer, 'settling'>) | undefined> {
    const known = this.#exited.get(id)
    if (known) return known
    const status = await this.#runtime.containerStatus(id).catch(unlessGone)
    if (status?.state !== 'exited') return status
    if (this.#settles(pod, status)) return { ...status, state: 'running', settling: true }
    const ended = { ...status, message: (await terminationMessage(status)) || status.message }
    this.#exited.set(id, ended)
    return ended
  }

  /** Whether a container was killed by nobody we know of, where it may have been for its memory. */
  #settles(pod: core.Pod, { id, exitCode, finishedAt, reason, ...status }: ContainerStatus): boolean {
    if (exitCode !== KILLED || reason !== 'Error' || this.#stopped.has(id)) return false
    const spec = containerNamed(pod, status.labels[labels.containerName] ?? '')
    const limit = spec?.resources.limits?.memory ?? pod.spec.resources?.limits?.memory
    return limit !== undefined && Math.abs(this.#clock.now() - finishedAt) < CAUSE_COMES
  }
}

/** It may go between the list and the look. */
function unlessGone(error: unknown): undefined {
  if (error instanceof RuntimeError && error.code === 'NotFound') return undefined
  throw error
}
