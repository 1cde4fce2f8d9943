import type { core } from '../../api/index.ts'
import type { Clock, Logger, Random } from '../../base/index.ts'
import type { Client, EventRecorder } from '../../client/index.ts'
import type { KubeletConfiguration } from '../config.ts'
import type { Objects } from '../objects.ts'
import type { Probes } from '../probes/probes.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Tokens } from '../volumes/tokens.ts'
import type { Volumes } from '../volumes/volumes.ts'
import type { Cgroups } from './cgroups.ts'
import type { Images } from './images.ts'
import type { NodeLimits } from './resources.ts'
import { fieldPathOf } from './spec.ts'
import type { StateReader } from './state.ts'
import type { StatusWriter } from './status-writer.ts'

/** What the workers of all pods share. */
export interface PodContext {
  client: Client
  runtime: Runtime
  runtimeName: string
  config: KubeletConfiguration
  nodeName: string
  nodeIps: string[]
  rootDir: string
  limits: NodeLimits
  allocatable: Record<string, string>
  cgroups: Cgroups
  images: Images
  objects: Objects
  probes: Probes
  recorder: EventRecorder
  state: StateReader
  statuses: StatusWriter
  tokens: Tokens
  volumes: Volumes
  /** All Services, once they are known. */
  services(): Promise<core.Service[]>
  /** Why pods can have no network now, or undefined. */
  networkProblem(): string | undefined
  clock: Clock
  random: Random
  log: Logger
}

export type EventType = 'Normal' | 'Warning'

/** An event of the pod, or of one of its containers. */
export function tell(
  { recorder }: Pick<PodContext, 'recorder'>,
  pod: core.Pod,
  type: EventType,
  reason: string,
  message: string,
  container?: string,
): void {
  const { name, namespace, uid, resourceVersion } = pod.metadata
  const fieldPath = container === undefined ? {} : { fieldPath: fieldPathOf(pod, container) }
  recorder.event(
    { kind: 'Pod', apiVersion: 'v1', namespace, name, uid, resourceVersion, ...fieldPath },
    type,
    reason,
    message,
  )
}
