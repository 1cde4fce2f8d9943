import { formatTime, type KubeObject, type Resource } from '../../api/index.ts'
import type { Clock, Logger, Random } from '../../base/index.ts'
import type { Entry, Store } from '../../store/index.ts'
import type { Admission, Options } from '../admission/admission.ts'
import { Background } from '../background.ts'
import { memoized } from '../memo.ts'
import type { AuditAnnotations, User } from '../pipeline/context.ts'
import type { Strategies } from './index.ts'
import { Reader } from './reader.ts'
import type { ResourceTable } from './resource-table.ts'
import { type Served, serve } from './served.ts'
import type { StrategyContext } from './strategy.ts'

/** What the verbs share. */
export interface Registry {
  store: Store
  clock: Clock
  random: Random
  log: Logger
  /** What long answers wait for. */
  background: Background
  reader: Reader
  admission: Admission
  strategies: Strategies
  resources: ResourceTable
  /** Seconds that a watch lasts at least that does not say so; there is a usual value. */
  shortestWatch?: number
  served<T extends KubeObject>(resource: Resource<T>): Served<T>
}

/** One call of one verb, from the wire or from within the server. */
export interface Call {
  /** The resource in the version that is stored; every rule is about that. */
  served: Served
  /** The resource in the version that the client speaks: nearly always the same. */
  shown: Served
  /** Empty for `status` and the like to differ from the object itself. */
  subresource: string
  namespace: string
  /** Empty for a create or a collection. */
  name: string
  /** One of many that are deleted at once. */
  ofCollection?: boolean
  user: User
  dryRun: boolean
  /** Texts for `Warning` headers are added here. */
  warnings: string[]
  /** Absent: nobody keeps them. */
  auditAnnotations?: AuditAnnotations | undefined
  /** Who will own the fields that this call sets. Absent: nobody, and the owners stay as they are. */
  manager?: string | undefined
  /** What the request says besides the object. */
  options?: Options
  /** Admission has judged the whole already, by the object of a subresource, or has no say in it. */
  admitted?: boolean
  /** What this server says of itself, which nobody's rules are for. */
  trusted?: boolean
}

/** What a write left behind; in a dry run, what it would have. */
export interface Written {
  entry: Entry
  created: boolean
}

export function createRegistry(parts: Omit<Registry, 'background' | 'reader' | 'served'>): Registry {
  const known = new WeakMap<Resource, Served>()
  const find = (resource: Resource): Served =>
    parts.resources.served(resource) ??
    memoized(known, resource, () => serve(resource, parts.strategies.strategyFor(resource)))
  const served = <T extends KubeObject>(resource: Resource<T>) => find(resource as Resource) as unknown as Served<T>
  const background = new Background(parts.clock, () => performance.eventLoopUtilization().idle)
  return { ...parts, background, served, reader: new Reader(parts.store, served) }
}

/** Where the objects of a resource are kept. */
export const storeOf = ({ store }: Registry, { custom }: Served): Store => custom?.store ?? store

/** The server itself, when it writes what it keeps. */
export const SERVER: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/** A call that the server makes of itself. */
export const ownCall = (served: Served, namespace: string, name = ''): Call => ({
  served,
  shown: served,
  subresource: '',
  namespace,
  name,
  user: SERVER,
  dryRun: false,
  warnings: [],
  manager: 'kube-apiserver',
})

export const strategyContext = (registry: Registry, call: Call): StrategyContext => ({
  user: call.user,
  dryRun: call.dryRun,
  subresource: call.subresource,
  now: formatTime(registry.clock.now()),
  async read(group, resource, namespace, name) {
    const found = registry.resources.find(group, group === 'autoscaling' ? 'v2' : 'v1', resource)
    return found && registry.reader.read(found, namespace, name)
  },
})
