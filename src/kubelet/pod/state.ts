import {
  annotations,
  type ContainerStatus,
  labels,
  type Runtime,
  RuntimeError,
  type Sandbox,
  type SandboxStatus,
} from '../runtime/runtime.ts'
import { terminationMessage } from './termination-message.ts'

/** A container as the runtime has it, with what its labels say. */
export interface RunContainer extends ContainerStatus {
  name: string
  hash: string
  restartCount: number
  sandboxId: string
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

/** Reads pods' state; what cannot change any more is asked for once. */
export class StateReader {
  readonly #runtime: Runtime
  readonly #exited = new Map<string, ContainerStatus>()
  readonly #sandboxes = new Map<string, SandboxStatus>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  async read(uid: string): Promise<PodState> {
    const [sandboxes, listed] = await Promise.all([
      this.#runtime.listSandboxes({ [labels.podUid]: uid }),
      this.#runtime.listContainers({ [labels.podUid]: uid }),
    ])
    sandboxes.sort((a, b) => b.createdAt - a.createdAt)
    listed.sort((a, b) => b.createdAt - a.createdAt)
    const [sandbox, statuses] = await Promise.all([
      sandboxes[0] && this.#sandbox(sandboxes[0]),
      Promise.all(listed.map(({ id }) => this.#container(id))),
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

  /** Lets go of what was kept about objects that are no longer there. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#exited.delete(id)
      this.#sandboxes.delete(id)
    }
  }

  async #sandbox(listed: Sandbox): Promise<SandboxStatus | undefined> {
    const known = this.#sandboxes.get(listed.id)
    if (known && known.ready === listed.ready) return known
    const status = await this.#runtime.sandboxStatus(listed.id).catch(unlessGone)
    if (status) this.#sandboxes.set(listed.id, status)
    return status
  }

  async #container(id: string): Promise<ContainerStatus | undefined> {
    const known = this.#exited.get(id)
    if (known) return known
    const status = await this.#runtime.containerStatus(id).catch(unlessGone)
    if (status?.state !== 'exited') return status
    const ended = { ...status, message: (await terminationMessage(status)) || status.message }
    this.#exited.set(id, ended)
    return ended
  }
}

/** It may go between the list and the look. */
function unlessGone(error: unknown): undefined {
  if (error instanceof RuntimeError && error.code === 'NotFound') return undefined
  throw error
}
