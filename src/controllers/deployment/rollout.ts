import { isDeepStrictEqual } from 'node:util'
import { type apps, findCondition, is, type Resource, resources } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Client, EventRecorder } from '../../client/index.ts'
import { controllerReference, isControlledBy } from '../owners.ts'
import { desired, limitsOf, newReplicas, oldReplicas, proportionalReplicas, sumDesired } from './replicas.ts'
import {
  annotationsFor,
  byAge,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  newReplicaSetOf,
  nextRevision,
  REVISION,
  revisionOf,
  sameTemplate,
  TEMPLATE_HASH,
  templateHash,
} from './revisions.ts'
import {
  countedStatus,
  hasProgressDeadline,
  isComplete,
  makeCondition,
  setCondition,
  setFailure,
  setProgress,
} from './status.ts'

export interface RolloutOptions {
  client: Client
  recorder: EventRecorder
  clock: Clock
  deployment: apps.Deployment
  /** All that the Deployment controls. */
  replicaSets: apps.ReplicaSet[]
  /** Whether pods of old ReplicaSets still run. */
  oldPodsRun(current: apps.ReplicaSet | undefined): boolean
}

/**
 * One look at one Deployment: takes the next step of its rollout and writes down where it stands. Each step is small;
 * what it causes brings the controller back for the next.
 */
export class Rollout {
  readonly #client: Client
  readonly #recorder: EventRecorder
  readonly #clock: Clock
  readonly #options: RolloutOptions
  #deployment: apps.Deployment
  #current: apps.ReplicaSet | undefined
  /** Oldest first. */
  #old: apps.ReplicaSet[]

  constructor(options: RolloutOptions) {
    this.#options = options
    this.#client = options.client
    this.#recorder = options.recorder
    this.#clock = options.clock
    this.#deployment = options.deployment
    this.#current = newReplicaSetOf(options.deployment, options.replicaSets)
    this.#old = options.replicaSets.filter(each => each !== this.#current).sort(byAge)
  }

  get #all(): apps.ReplicaSet[] {
    return this.#current ? [...this.#old, this.#current] : this.#old
  }

  /** Returns the Deployment as it stands afterwards. */
  async step(): Promise<apps.Deployment> {
    const { spec, metadata } = this.#deployment
    if (metadata.deletionTimestamp) {
      await this.#writeStatus(this.#countedStatus())
    } else if (spec.paused || this.#isResized()) {
      await this.#notePause()
      await this.#resize()
    } else {
      await this.#notePause()
      await (spec.strategy.type === 'Recreate' ? this.#recreate() : this.#roll())
      await this.#writeProgress()
    }
    return this.#deployment
  }

  // --- strategies

  async #roll(): Promise<void> {
    const current = await this.#syncCurrent()
    const wanted = desired(this.#deployment)
    const size = desired(current) > wanted ? wanted : newReplicas(this.#deployment, this.#all, desired(current))
    if (await this.#scale(current, size)) return
    const scalings = oldReplicas(this.#deployment, current, this.#old.filter(isActive))
    for (const { replicaSet, replicas } of scalings) await this.#scale(replicaSet, replicas)
    if (scalings.length === 0) await this.#cleanUpWhenComplete()
  }

  async #recreate(): Promise<void> {
    const active = this.#old.filter(isActive)
    if (this.#current) await this.#syncCurrent()
    for (const replicaSet of active) await this.#scale(replicaSet, 0)
    if (active.length > 0 || this.#options.oldPodsRun(this.#current)) return
    await this.#scale(await this.#syncCurrent(), desired(this.#deployment))
    await this.#cleanUpWhenComplete()
  }

  /** While paused, or when only the size changed, ReplicaSets are resized but no new one is made. */
  async #resize(): Promise<void> {
    if (this.#current) await this.#syncCurrent()
    for (const { replicaSet, replicas } of this.#resized()) await this.#scale(replicaSet, replicas)
    if (this.#deployment.spec.paused) await this.#cleanUp()
    await this.#writeStatus(this.#countedStatus())
  }

  #resized(): { replicaSet: apps.ReplicaSet; replicas: number }[] {
    const active = this.#all.filter(isActive)
    const only = active.length === 0 ? (this.#current ?? this.#old.at(-1)) : active.length === 1 ? active[0] : undefined
    if (only) return [{ replicaSet: only, replicas: desired(this.#deployment) }]
    if (this.#isSaturated()) return this.#old.filter(isActive).map(replicaSet => ({ replicaSet, replicas: 0 }))
    if (this.#deployment.spec.strategy.type === 'Recreate') return []
    const growing = desired(this.#deployment) + limitsOf(this.#deployment).maxSurge > sumDesired(active)
    const bySize = (a: apps.ReplicaSet, b: apps.ReplicaSet) =>
      desired(b) - desired(a) || (growing ? -byAge(a, b) : byAge(a, b))
    return proportionalReplicas(this.#deployment, active.sort(bySize), replicaSet =>
      Number(
        replicaSet.metadata.annotations?.[MAX_REPLICAS] ?? this.#deployment.status.replicas ?? desired(replicaSet),
      ),
    )
  }

  /** Whether the new ReplicaSet alone provides all that is wanted. */
  #isSaturated(): boolean {
    const wanted = desired(this.#deployment)
    const { metadata, status } = this.#current ?? {}
    return (
      metadata?.annotations?.[DESIRED_REPLICAS] === String(wanted) &&
      desired(this.#current!) === wanted &&
      status?.availableReplicas === wanted
    )
  }

  /** Whether the wanted size differs from the one that active ReplicaSets were last sized for. */
  #isResized(): boolean {
    const wanted = String(desired(this.#deployment))
    return this.#all.filter(isActive).some(({ metadata }) => {
      const noted = metadata.annotations?.[DESIRED_REPLICAS]
      return noted !== undefined && noted !== wanted
    })
  }

  // --- the new ReplicaSet

  /** The ReplicaSet of the present template, made if it is missing, with the newest revision. */
  async #syncCurrent(): Promise<apps.ReplicaSet> {
    const revision = nextRevision(this.#old)
    this.#current = this.#current ? await this.#refreshed(this.#current, revision) : await this.#create(revision)
    await this.#noteRevision(this.#current.metadata.annotations?.[REVISION])
    if (!findCondition(this.#deployment.status.conditions, 'Progressing')) {
      await this.#noteProgress('FoundNewReplicaSet', `Found new replica set "${this.#current.metadata.name}"`)
    }
    return this.#current
  }

  async #refreshed(replicaSet: apps.ReplicaSet, revision: number): Promise<apps.ReplicaSet> {
    const annotations = annotationsFor(this.#deployment, revision, replicaSet.metadata.annotations)
    const { minReadySeconds } = this.#deployment.spec
    const same = (replicaSet.spec.minReadySeconds ?? 0) === (minReadySeconds ?? 0)
    if (same && isDeepStrictEqual(annotations, replicaSet.metadata.annotations)) return replicaSet
    return await this.#client.update(resources.replicaSets, {
      ...replicaSet,
      metadata: { ...replicaSet.metadata, annotations },
      spec: { ...replicaSet.spec, minReadySeconds },
    })
  }

  async #create(revision: number): Promise<apps.ReplicaSet> {
    const draft = this.#draft(revision)
    let created: apps.ReplicaSet
    try {
      created = await this.#client.create(resources.replicaSets, draft)
    } catch (error) {
      if (is(error, 'AlreadyExists')) return await this.#existing(draft)
      const message = `Failed to create new replica set "${draft.metadata.name}": ${(error as Error).message}`
      await this.#noteProgress('ReplicaSetCreateError', message, 'False')
      this.#recorder.warning(this.#deployment, 'ReplicaSetCreateError', message)
      throw error
    }
    if (desired(created) > 0) this.#noteScaled(created, 0, desired(created))
    await this.#noteProgress('NewReplicaSetCreated', `Created new replica set "${created.metadata.name}"`)
    return created
  }

  #draft(revision: number) {
    const { metadata, spec, status } = this.#deployment
    const hash = templateHash(spec.template, status.collisionCount)
    const labels = { ...spec.template.metadata.labels, [TEMPLATE_HASH]: hash }
    const replicas = newReplicas(this.#deployment, this.#old, 0)
    return {
      metadata: {
        namespace: metadata.namespace,
        name: `${metadata.name}-${hash}`,
        labels,
        annotations: { ...annotationsFor(this.#deployment, revision), ...this.#sizeAnnotations() },
        ownerReferences: [controllerReference(this.#deployment, resources.deployments as Resource)],
      },
      spec: {
        replicas,
        minReadySeconds: spec.minReadySeconds,
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [TEMPLATE_HASH]: hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    }
  }

  /** The name is taken: by our own, which the lister did not show yet, or by another template with the same hash. */
  async #existing(draft: { metadata: { namespace: string; name: string } }): Promise<apps.ReplicaSet> {
    const { spec, status } = this.#deployment
    const live = await this.#client.get(resources.replicaSets, draft.metadata)
    if (isControlledBy(live, this.#deployment) && sameTemplate(live.spec.template, spec.template)) return live
    await this.#writeStatus({ ...status, collisionCount: (status.collisionCount ?? 0) + 1 })
    throw new Error(`the hash of the pod template collides with that of ${draft.metadata.name}`)
  }

  /** `kubectl rollout history` and `status` read the revision at the Deployment too. */
  async #noteRevision(revision: string | undefined): Promise<void> {
    if (!revision || this.#deployment.metadata.annotations?.[REVISION] === revision) return
    const body = { metadata: { annotations: { [REVISION]: revision } } }
    this.#deployment = await this.#client.patch(resources.deployments, this.#deployment.metadata, {
      type: 'merge',
      body,
    })
  }

  // --- sizes

  /** Whether the size had to change. */
  async #scale(replicaSet: apps.ReplicaSet, replicas: number): Promise<boolean> {
    const annotations = { ...replicaSet.metadata.annotations, ...this.#sizeAnnotations() }
    const resized = desired(replicaSet) !== replicas
    if (!resized && isDeepStrictEqual(annotations, replicaSet.metadata.annotations)) return false
    const scaled = await this.#client.update(resources.replicaSets, {
      ...replicaSet,
      metadata: { ...replicaSet.metadata, annotations },
      spec: { ...replicaSet.spec, replicas },
    })
    if (replicaSet === this.#current) this.#current = scaled
    else this.#old = this.#old.map(each => (each === replicaSet ? scaled : each))
    if (resized) this.#noteScaled(replicaSet, desired(replicaSet), replicas)
    return resized
  }

  #noteScaled({ metadata }: apps.ReplicaSet, from: number, to: number): void {
    const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${metadata.name} from ${from} to ${to}`
    this.#recorder.normal(this.#deployment, 'ScalingReplicaSet', message)
  }

  #sizeAnnotations(): Record<string, string> {
    const wanted = desired(this.#deployment)
    return {
      [DESIRED_REPLICAS]: String(wanted),
      [MAX_REPLICAS]: String(wanted + limitsOf(this.#deployment).maxSurge),
    }
  }

  // --- history

  async #cleanUpWhenComplete(): Promise<void> {
    if (isComplete(this.#deployment, this.#deployment.status)) await this.#cleanUp()
  }

  /** Keeps as many old ReplicaSets as can be rolled back to. */
  async #cleanUp(): Promise<void> {
    const { revisionHistoryLimit } = this.#deployment.spec
    if (revisionHistoryLimit === undefined) return
    const kept = this.#old.filter(({ metadata }) => !metadata.deletionTimestamp)
    const surplus = kept.length - revisionHistoryLimit
    if (surplus <= 0) return
    const oldest = kept.sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, surplus)
    for (const replicaSet of oldest.filter(isUnused)) {
      try {
        await this.#client.delete(resources.replicaSets, replicaSet.metadata, { propagationPolicy: 'Background' })
      } catch (error) {
        if (!is(error, 'NotFound')) throw error
      }
    }
  }

  // --- status

  #countedStatus(): apps.DeploymentStatus {
    return countedStatus(this.#deployment, this.#all, this.#current, this.#clock.now())
  }

  async #writeProgress(): Promise<void> {
    const status = this.#countedStatus()
    setProgress(this.#deployment, status, this.#current, this.#clock.now())
    setFailure(status, this.#all, this.#current)
    await this.#writeStatus(status)
  }

  /** A pause stops the clock of the progress deadline, and its end starts it anew. */
  async #notePause(): Promise<void> {
    const reason = findCondition(this.#deployment.status.conditions, 'Progressing')?.reason
    if (!hasProgressDeadline(this.#deployment) || reason === 'ProgressDeadlineExceeded') return
    const { paused } = this.#deployment.spec
    if (paused && reason !== 'DeploymentPaused') {
      await this.#noteProgress('DeploymentPaused', 'Deployment is paused', 'Unknown')
    } else if (!paused && reason === 'DeploymentPaused') {
      await this.#noteProgress('DeploymentResumed', 'Deployment is resumed', 'Unknown')
    }
  }

  async #noteProgress(reason: string, message: string, value: 'True' | 'False' | 'Unknown' = 'True'): Promise<void> {
    if (!hasProgressDeadline(this.#deployment)) return
    const status = { ...this.#deployment.status }
    setCondition(status, makeCondition('Progressing', value, reason, message, this.#clock.now()))
    await this.#writeStatus(status)
  }

  async #writeStatus(status: apps.DeploymentStatus): Promise<void> {
    if (isDeepStrictEqual(status, this.#deployment.status)) return
    const changed = { ...this.#deployment, status }
    this.#deployment = await this.#client.update(resources.deployments, changed, { subresource: 'status' })
  }
}

const isActive = (replicaSet: apps.ReplicaSet): boolean => desired(replicaSet) > 0

const isUnused = ({ metadata, spec, status }: apps.ReplicaSet): boolean =>
  status.replicas === 0 && spec.replicas === 0 && (metadata.generation ?? 0) <= (status.observedGeneration ?? 0)
