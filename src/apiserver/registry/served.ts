import { apiVersion, type FieldError, type KubeObject, type Resource } from '../../api/index.ts'
import { type Codec, codecFor, type JsonSchema } from '../../encoding/index.ts'
import type { Entry, Store } from '../../store/index.ts'
import { memoized } from '../memo.ts'
import type { Column } from '../tables/table.ts'
import { type Conversion, conversionOf } from './conversion.ts'
import type { Strategy } from './strategy.ts'

/** One resource as this server keeps and serves it. */
export interface Served<T extends KubeObject = KubeObject> {
  resource: Resource<T>
  codec: Codec<T>
  strategy: Strategy<T>
  /** Every key of the resource begins with it: `/registry/pods/`. */
  prefix: string
  /** What every stored value begins with; the resourceVersion is spliced in after it. */
  head: Buffer
  /** How much of `head` an item of a list leaves out, since a list names the kind once. */
  itemStart: number
  /** Set when another version of the resource is what is stored. */
  conversion?: Conversion
  /** Whether `status` is written through a subresource only. */
  hasStatus: boolean
  /** Set of a custom resource, which nobody knew when this server was written. */
  custom?: CustomParts
}

/** What of a custom resource comes from its definition, where built-in ones have it in a table by their name. */
export interface CustomParts {
  /** The server's store, which shows in this version what it keeps in another, or as an older schema had it. */
  store: Store
  /** Whether an entry would be kept in another way if it were written again as it is. */
  isStale(entry: Entry): Promise<boolean>
  columns: Column[]
  /** An object of any version in another. Absent: what field managers have set in other versions is forgotten. */
  convert?(object: KubeObject, apiVersion: string): Promise<KubeObject>
  scale?: ScalePaths
  /** What everybody is warned of who uses this version. */
  deprecation?: string
  /** As the author of its definition wrote it. */
  schema: JsonSchema
  /** Ends each watch that goes on; all are ended once the definition is another, or gone. */
  watches: Set<() => void>
}

/** Where the numbers of a scale are: `.spec.replicas`. Source: apiextensions.k8s.io/v1 CustomResourceSubresourceScale */
export interface ScalePaths {
  specReplicasPath: string
  statusReplicasPath: string
  labelSelectorPath?: string
}

/** Where upstream's keys are not the resource's name. Source: k8s.io/kubernetes/pkg/kubeapiserver default_storage_factory_builder.go */
const FOLDERS: Record<string, string> = {
  replicationcontrollers: 'controllers',
  endpoints: 'services/endpoints',
  nodes: 'minions',
  services: 'services/specs',
  'networking.k8s.io/ingresses': 'ingress',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices': 'apiregistration.k8s.io/apiservices',
}

const qualified = ({ group, resource }: Pick<Resource, 'group' | 'resource'>) =>
  group ? `${group}/${resource}` : resource

export function serve<T extends KubeObject>(resource: Resource<T>, strategy: Strategy<T>): Served<T> {
  const opening = `{"kind":${JSON.stringify(resource.kind)},"apiVersion":${JSON.stringify(apiVersion(resource))},`
  return {
    resource,
    codec: codecFor<T>(resource.type),
    strategy,
    prefix: `/registry/${FOLDERS[qualified(resource)] ?? resource.resource}/`,
    head: Buffer.from(`${opening}"metadata":{`),
    itemStart: Buffer.byteLength(opening),
    conversion: conversionOf(resource as Resource),
    hasStatus: resource.subresources.some(sub => sub.name === 'status'),
  }
}

type Part = Pick<Resource, 'group' | 'version' | 'kind' | 'type'>

const parts = new WeakMap<Part, Served>()

/**
 * A kind that is only a way to read or to write resources (Scale, Eviction), as if it were one, so that it is shown in
 * every form that those have. `part` is a constant.
 */
export function servePart(part: Part, verb: 'get' | 'create'): Served {
  const resource = `${part.kind.toLowerCase()}s`
  const traits = { resource, singular: part.kind.toLowerCase(), namespaced: true, shortNames: [], categories: [] }
  return memoized(parts, part, () => serve({ ...part, ...traits, verbs: [verb], subresources: [] } as Resource, {}))
}

/** An object that is kept nowhere. */
export const unkept = (served: Served, object: KubeObject): Entry => ({
  key: served.prefix + object.metadata.name,
  value: served.codec.encode(object),
  createRevision: 0,
  modRevision: 0,
})

/** What is wrong with an object: what its kind's rules say, and what the types alone tell of fields that the rules do not name. */
export function problemsOf({ strategy, codec }: Served, object: KubeObject, old?: KubeObject): FieldError[] {
  const ruled = strategy.validate?.(object, old) ?? []
  const named = new Set(ruled.map(({ field }) => field))
  return [...ruled, ...codec.structural(object, old).filter(({ field }) => !named.has(field))]
}

/** The two versions that a call is about: what the client speaks and what is kept. */
interface Versions {
  shown: Served
  served: Served
}

/** As `problemsOf`, by the rules of the client's version where it has its own; then also those that hold for changes alone. */
export function problemsAsShown({ shown, served }: Versions, object: KubeObject, old?: KubeObject): FieldError[] {
  const own = shown.conversion && shown.strategy !== served.strategy
  const { strategy } = own ? shown : served
  const view = (stored: KubeObject) => (own ? shown.conversion!.fromStored(stored) : stored)
  const before = old && view(old)
  const problems = problemsOf(own ? shown : served, view(object), before)
  return before ? [...problems, ...(strategy.validateUpdate?.(view(object), before) ?? [])] : problems
}

export const keyOf = (served: Served, namespace: string, name: string): string =>
  served.resource.namespaced ? `${served.prefix}${namespace}/${name}` : served.prefix + name

/** What the keys of a namespace, or of them all when it is empty, begin with. */
export const prefixOf = (served: Served, namespace: string): string =>
  served.resource.namespaced && namespace ? `${served.prefix}${namespace}/` : served.prefix

/** A stored object, decoded; the caller owns it. Stored bytes are canonical, so the plain parser does. */
export function decodeEntry<T extends KubeObject>(entry: Entry, revision = entry.modRevision): T {
  const { buffer, byteOffset, byteLength } = entry.value
  const object = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString()) as T
  if (revision) object.metadata.resourceVersion = String(revision)
  return object
}
