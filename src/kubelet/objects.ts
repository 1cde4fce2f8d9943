import { type core, type KubeObject, type Resource, resources } from '../api/index.ts'
import type { Clock, Logger, Random } from '../base/index.ts'
import { type Client, type Informer, Informers } from '../client/index.ts'

export interface ObjectsOptions {
  client: Client
  clock: Clock
  random: Random
  log: Logger
  /** An object that this pod uses was made, changed or deleted. */
  onChange(podUid: string): void
}

interface Watched {
  informers: Informers
  informer: Informer<KubeObject>
  users: Set<string>
}

/** Milliseconds to wait for the first answer. */
const PATIENCE = 10_000

/**
 * The ConfigMaps and Secrets that pods of this node use, each watched by itself for as long as a pod uses it: a node
 * may see no others. Source: pkg/kubelet/util/manager/watch_based_manager.go
 */
export class Objects {
  readonly #options: ObjectsOptions
  readonly #watched = new Map<string, Watched>()

  constructor(options: ObjectsOptions) {
    this.#options = options
  }

  configMap(pod: core.Pod, name: string): Promise<core.ConfigMap | undefined> {
    return this.#get(resources.configMaps, pod, name)
  }

  secret(pod: core.Pod, name: string): Promise<core.Secret | undefined> {
    return this.#get(resources.secrets, pod, name)
  }

  /** The pod is gone; what only it used is no longer watched. */
  release(podUid: string): void {
    for (const [key, { users, informers }] of this.#watched) {
      if (!users.delete(podUid) || users.size > 0) continue
      this.#watched.delete(key)
      void informers.stop()
    }
  }

  async stop(): Promise<void> {
    const all = [...this.#watched.values()]
    this.#watched.clear()
    await Promise.all(all.map(({ informers }) => informers.stop()))
  }

  async #get<T extends KubeObject>(type: Resource<T>, pod: core.Pod, name: string): Promise<T | undefined> {
    const { namespace, uid } = pod.metadata
    const key = `${type.resource}/${namespace}/${name}`
    let watched = this.#watched.get(key)
    if (!watched) {
      watched = this.#watch(type, namespace, name)
      this.#watched.set(key, watched)
    }
    watched.users.add(uid)
    if (!watched.informer.hasSynced) await this.#first(watched, type, `${namespace}/${name}`)
    return watched.informer.lister.get({ namespace, name }) as T | undefined
  }

  #watch<T extends KubeObject>(type: Resource<T>, namespace: string, name: string): Watched {
    const { client, clock, random, log, onChange } = this.#options
    const informers = new Informers(client, { clock, random, log })
    const informer = informers.get(type as Resource, { namespace, fieldSelector: `metadata.name=${name}` })
    const watched: Watched = { informers, informer, users: new Set() }
    const tell = () => {
      if (informer.hasSynced) watched.users.forEach(onChange)
    }
    informer.addHandlers({ add: tell, update: tell, delete: tell })
    return watched
  }

  async #first({ informer }: Watched, type: Resource, name: string): Promise<void> {
    const late = new AbortController()
    const timeout = this.#options.clock.sleep(PATIENCE, late.signal).then(() => {
      throw new Error(`failed to sync ${type.singular} cache for ${name}: timed out waiting for the condition`)
    })
    try {
      await Promise.race([informer.synced, timeout])
    } finally {
      late.abort()
      timeout.catch(() => {})
    }
  }
}
