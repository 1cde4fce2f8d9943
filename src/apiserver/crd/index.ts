import { createHash } from 'node:crypto'
import {
  formatTime,
  is,
  isConditionTrue,
  type KubeObject,
  type Resource,
  resources,
  withCondition,
} from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import type { Change, Watcher } from '../../store/index.ts'
import { ownCall, type Registry } from '../registry/registry.ts'
import { decodeEntry, keyOf, type Served } from '../registry/served.ts'
import { update } from '../registry/update.ts'
import type { WebhookClient } from '../webhook/client.ts'
import { approvalCondition } from './approval.ts'
import { CLEANUP_FINALIZER, cleanUp } from './cleanup.ts'
import { converterOf, type Definition } from './conversion.ts'
import { define } from './define.ts'
import { acceptNames, type Condition } from './names.ts'

/** Milliseconds until something that failed is tried again. */
const RETRY = 1000

/** Milliseconds that watches on what is no more served go on. Source: k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go tearDown */
const DRAIN = 1000

/** One definition as it is served now. */
interface Defined {
  /** Of all that decides how objects are shown and kept. */
  signature: string
  freshSince: number
  terminating: boolean
  served: Served[]
  watches: Set<() => void>
}

/**
 * Follows the stored definitions: serves their resources, tells in their status how that went, and empties those that are
 * being deleted. Resolves when everything that was established before is served.
 * Source: https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/
 */
export async function followDefinitions(registry: Registry, client: WebhookClient): Promise<Component> {
  const follower = new Follower(registry, client)
  await follower.start()
  return follower
}

class Follower implements Component {
  readonly #registry: Registry
  readonly #client: WebhookClient
  readonly #served: Served<Definition>
  /** All there are, without their versions. */
  readonly #definitions = new Map<string, Definition>()
  readonly #defined = new Map<string, Defined>()
  readonly #waiting = new Set<string>()
  readonly #cleaning = new Set<string>()
  readonly #stopping = new AbortController()
  #watcher: Watcher | undefined
  #working: Promise<void> | undefined

  constructor(registry: Registry, client: WebhookClient) {
    this.#registry = registry
    this.#client = client
    this.#served = registry.served(resources.customResourceDefinitions as Resource<Definition>)
  }

  async start(): Promise<void> {
    const { store } = this.#registry
    const { entries, revision } = await store.list(this.#served.prefix)
    for (const entry of entries) {
      const definition = decodeEntry<Definition>(entry)
      this.#definitions.set(definition.metadata.name, brief(definition))
      if (isConditionTrue(definition.status.conditions, 'Established')) await this.#serve(definition)
    }
    this.#follow(revision)
    this.#enqueue(...this.#definitions.keys())
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#watcher?.close()
    await this.#working
  }

  #follow(after: number): void {
    const { store, log } = this.#registry
    this.#watcher = store.watch(this.#served.prefix, after, {
      changes: changes => this.#enqueue(...changes.map(nameOf)),
      failed: error => {
        if (this.#stopping.signal.aborted) return
        log.warn({ error }, 'following custom resource definitions anew')
        this.#later(() => this.#followAnew())
      },
    })
  }

  /** Whatever was missed meanwhile is found by looking at everything. */
  async #followAnew(): Promise<void> {
    const { entries, revision } = await this.#registry.store.list(this.#served.prefix)
    this.#follow(revision)
    this.#enqueue(...this.#definitions.keys(), ...entries.map(nameOf))
  }

  #enqueue(...names: string[]): void {
    for (const name of names) this.#waiting.add(name)
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      if (this.#waiting.size && !this.#stopping.signal.aborted) this.#enqueue()
    })
  }

  async #work(): Promise<void> {
    for (let name = first(this.#waiting); name !== undefined; name = first(this.#waiting)) {
      this.#waiting.delete(name)
      if (this.#stopping.signal.aborted) return
      try {
        await this.#reconcile(name)
      } catch (error) {
        this.#tryAgain(name, error)
      }
    }
  }

  #tryAgain(name: string, error: unknown): void {
    if (this.#stopping.signal.aborted) return
    this.#registry.log.warn({ error, name }, 'custom resource definition could not be followed')
    this.#later(() => this.#enqueue(name))
  }

  /** Runs after a while, again and again until it succeeds or the server stops. */
  #later(run: () => void | Promise<void>): void {
    const { signal } = this.#stopping
    this.#registry.clock
      .sleep(RETRY, signal)
      .then(run)
      .catch(() => {
        if (!signal.aborted) this.#later(run)
      })
  }

  async #reconcile(name: string): Promise<void> {
    const entry = await this.#registry.store.get(keyOf(this.#served as unknown as Served, '', name))
    const before = this.#definitions.get(name)
    if (!entry) return this.#forget(name, before)
    const definition = decodeEntry<Definition>(entry)
    this.#definitions.set(name, brief(definition))
    const others = [...this.#definitions.values()].filter(other => other.metadata.name !== name)
    const { names, conditions } = acceptNames(definition, others)
    const approval = approvalCondition(definition)
    const accepted = { ...definition, status: { ...definition.status, acceptedNames: names } }
    const wanted = approval ? [...conditions, approval] : conditions
    const establishes = wanted.some(({ type, status }) => type === 'Established' && status === 'True')
    if (establishes || isConditionTrue(definition.status.conditions, 'Established')) await this.#serve(accepted)
    await this.#tell(definition, accepted.status.acceptedNames, wanted)
    // Who is looked at next must not be given the same names.
    this.#definitions.set(name, brief(accepted))
    if (definition.metadata.deletionTimestamp !== undefined) this.#cleanUp(definition)
  }

  /** Makes the definition's resources what the server serves. */
  async #serve(definition: Definition): Promise<void> {
    const { name, resourceVersion, deletionTimestamp } = definition.metadata
    const { store, resources, random } = this.#registry
    const signature = signatureOf(definition)
    const present = this.#defined.get(name)
    if (present) present.terminating = deletionTimestamp !== undefined
    if (present?.signature === signature) return
    const defined: Defined = {
      signature,
      freshSince: present ? Number.POSITIVE_INFINITY : Number(resourceVersion),
      terminating: deletionTimestamp !== undefined,
      served: [],
      watches: new Set(),
    }
    defined.served = await define(definition, {
      store,
      convert: converterOf(definition, this.#client, random),
      freshSince: () => defined.freshSince,
      isTerminating: () => defined.terminating,
      watches: defined.watches,
    })
    resources.define(name, defined.served)
    this.#defined.set(name, defined)
    if (present) this.#endWatches(present)
    // From here on everything is written as the new schema has it.
    if (present) defined.freshSince = (await store.revision()) + 1
  }

  async #tell(
    definition: Definition,
    acceptedNames: Definition['status']['acceptedNames'],
    wanted: Condition[],
  ): Promise<void> {
    const call = { ...ownCall(this.#served as unknown as Served, '', definition.metadata.name), subresource: 'status' }
    const lastTransitionTime = formatTime(this.#registry.clock.now())
    const transform = (object: KubeObject) => {
      const changed = object as Definition
      let { conditions } = changed.status
      for (const condition of wanted) conditions = withCondition(conditions, { ...condition, lastTransitionTime })
      changed.status = { ...changed.status, acceptedNames, conditions }
      return changed
    }
    await update(this.#registry, call, transform, { relative: true }).catch(error => {
      // It went meanwhile, of which the next change tells.
      if (!is(error, 'NotFound')) throw error
    })
  }

  #cleanUp({ metadata: { name, finalizers = [] } }: Definition): void {
    if (!finalizers.includes(CLEANUP_FINALIZER) || this.#cleaning.has(name)) return
    this.#cleaning.add(name)
    const objects = this.#defined.get(name)?.served[0]
    cleanUp(this.#registry, this.#served, name, objects, this.#stopping.signal)
      .catch(error => this.#tryAgain(name, error))
      .finally(() => this.#cleaning.delete(name))
  }

  /** Who watches is to begin anew with what is served now, having heard of what happened before. */
  #endWatches({ watches }: Defined): void {
    if (!watches.size) return
    const { signal } = this.#stopping
    this.#registry.clock
      .sleep(DRAIN, signal)
      .catch(() => {})
      .finally(() => {
        for (const end of [...watches]) end()
      })
  }

  #forget(name: string, definition: Definition | undefined): void {
    const defined = this.#defined.get(name)
    this.#definitions.delete(name)
    this.#defined.delete(name)
    this.#registry.resources.define(name, [])
    if (defined) this.#endWatches(defined)
    // Others may have waited for its names.
    for (const other of this.#definitions.values())
      if (other.spec.group === definition?.spec.group) this.#waiting.add(other.metadata.name)
  }
}

/** Only the names of the others count, and schemas are large. */
const brief = ({ spec, ...rest }: Definition): Definition => ({ ...rest, spec: { ...spec, versions: [] } })

const first = (names: Set<string>): string | undefined => names.values().next().value

const nameOf = ({ key }: Pick<Change, 'key'>) => key.slice(key.lastIndexOf('/') + 1)

const signatureOf = ({ spec, status }: Definition): string =>
  createHash('sha256')
    .update(JSON.stringify([spec, status.acceptedNames]))
    .digest('base64')
