import {
  allResources,
  type apiextensions,
  apiVersion,
  type KubeObject,
  type Resource,
  resources,
} from '../../api/index.ts'
import type { Informer, Informers } from '../../client/index.ts'
import { customResource } from '../custom-resource.ts'

/** Objects that nobody owns anything by, or that say the same as another resource does. */
const IGNORED = new Set<unknown>([resources.events, resources.eventsV1, resources.horizontalPodAutoscalersV1])

const NEEDED_VERBS = ['list', 'watch', 'delete', 'patch']

/** An index of objects by the uids of their owners. */
const BY_OWNER = 'owner'

export interface Kind {
  type: Resource
  informer: Informer<KubeObject>
}

export interface KindHandlers {
  changed(kind: Kind, old: KubeObject | undefined, object: KubeObject): void
  deleted(object: KubeObject, kind: Kind): void
}

/** The metadata of every object of every kind that can be listed, watched and deleted, including custom ones. */
export class Kinds {
  readonly #informers: Informers
  readonly #kinds = new Map<string, Kind>()
  /** By the name of its definition. */
  readonly #custom = new Map<string, Resource>()
  readonly #ends = new Map<Kind, () => void>()
  #handlers: KindHandlers | undefined

  constructor(informers: Informers) {
    this.#informers = informers
  }

  /** Returns what ends it. */
  start(handlers: KindHandlers): () => void {
    this.#handlers = handlers
    for (const type of allResources) {
      if (!IGNORED.has(type) && NEEDED_VERBS.every(verb => type.verbs.includes(verb))) this.#add(type)
    }
    const endDefinitions = this.#informers.get(resources.customResourceDefinitions).addHandlers({
      add: definition => this.#define(definition),
      update: (_old, definition) => this.#define(definition),
      delete: definition => this.#undefine(definition),
    })
    return () => {
      endDefinitions()
      for (const end of this.#ends.values()) end()
    }
  }

  get synced(): Promise<void> {
    return Promise.all(Array.from(this.#kinds.values(), ({ informer }) => informer.synced)).then(() => {})
  }

  /** By what an owner reference names: `apps/v1` and `Deployment`. Another version of the group will do. */
  find(version: string, kind: string): Kind | undefined {
    const exact = this.#kinds.get(`${version}/${kind}`)
    if (exact) return exact
    const group = version.includes('/') ? version.split('/')[0] : ''
    return this.all().find(({ type }) => type.group === group && type.kind === kind)
  }

  all(): Kind[] {
    return [...this.#kinds.values()]
  }

  dependentsOf(uid: string): { kind: Kind; object: KubeObject }[] {
    return this.all().flatMap(kind => kind.informer.lister.byIndex(BY_OWNER, uid).map(object => ({ kind, object })))
  }

  /** Whether an object of any kind in any namespace has this uid. Looks at all of them. */
  has(uid: string): boolean {
    return this.all().some(({ informer }) => informer.lister.list().some(object => object.metadata.uid === uid))
  }

  #add(type: Resource): void {
    const informer = this.#informers.get(type, { metadataOnly: true })
    informer.addIndex(BY_OWNER, object => object.metadata.ownerReferences?.map(({ uid }) => uid) ?? [])
    const kind = { type, informer }
    this.#kinds.set(`${apiVersion(type)}/${type.kind}`, kind)
    const end = informer.addHandlers({
      add: object => this.#handlers?.changed(kind, undefined, object),
      update: (old, object) => this.#handlers?.changed(kind, old, object),
      delete: object => this.#handlers?.deleted(object, kind),
    })
    this.#ends.set(kind, end)
  }

  #define(definition: apiextensions.CustomResourceDefinition): void {
    const { name, deletionTimestamp } = definition.metadata
    const type = customResource(definition)
    if (!type || deletionTimestamp || this.#custom.has(name)) return
    this.#custom.set(name, type)
    this.#add(type)
  }

  #undefine({ metadata }: apiextensions.CustomResourceDefinition): void {
    const type = this.#custom.get(metadata.name)
    if (!type) return
    this.#custom.delete(metadata.name)
    const key = `${apiVersion(type)}/${type.kind}`
    this.#ends.delete(this.#kinds.get(key)!)
    this.#kinds.delete(key)
    void this.#informers.remove(type)
  }
}
