import {
  type apiextensions,
  type core,
  evaluatorOf,
  inScopes,
  type KubeObject,
  quantity,
  type ResourceList,
  resourceList,
  resources,
} from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { keyOf, type Source, startController } from '../client/index.ts'
import type { Context } from './context.ts'
import { found } from './found.ts'
import { type Kind, Kinds } from './garbage-collector/kinds.ts'

/** How long everything may stay as it is until it is counted once more, in milliseconds. */
const RESYNC = 5 * 60_000
/** When what the API server has let through, and counted, may not have been seen here yet. */
const SETTLED = 5000

/** Of these it counts what is in them, of all others only that they are there. */
const WHOLE = [resources.pods, resources.services, resources.persistentVolumeClaims, resources.resourceClaims] as const

/**
 * Says in the status of each quota what its namespace uses. The API server adds what it lets through; here all is counted
 * anew when something goes, when the quota changes, and from time to time.
 * Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function startResourceQuotaController({ client, informers, clock, log }: Context): Component {
  const quotas = informers.get(resources.resourceQuotas)
  for (const type of WHOLE) informers.get<KubeObject>(type)
  const definitions = informers.get(resources.customResourceDefinitions)
  const kinds = new Kinds(informers)

  const changes: Source = {
    synced: quotas.synced,
    start(enqueue) {
      const touch = (kind: Kind, object: KubeObject, old?: KubeObject) => {
        for (const quota of concerned(kind, object, old)) enqueue(keyOf(quota))
      }
      const endQuotas = quotas.addHandlers({
        add: quota => enqueue(keyOf(quota)),
        // What is used is this controller's own business, and the API server's.
        update: (_old, quota) => {
          if (!resourceList.same(quota.spec.hard, quota.status.hard)) enqueue(keyOf(quota))
        },
      })
      const endKinds = kinds.start({
        changed(kind, old, object) {
          if (old) touch(kind, object, old)
        },
        deleted: (object, kind) => touch(kind, object),
      })
      // After the kinds, which know by then of what is defined here.
      const define = ({ spec: { group, names } }: apiextensions.CustomResourceDefinition) => {
        const { measures } = evaluatorOf({ group, resource: names.plural })
        for (const quota of quotas.lister.list()) {
          if (Object.keys(quota.spec.hard ?? {}).some(measures)) enqueue(keyOf(quota))
        }
      }
      const endDefinitions = definitions.addHandlers({ add: define, update: (_old, definition) => define(definition) })
      return () => {
        endQuotas()
        endKinds()
        endDefinitions()
      }
    },
  }

  /** The quotas that the object counts for; of a change, those for which it counts as something else than before. */
  function concerned(kind: Kind, object: KubeObject, old?: KubeObject): core.ResourceQuota[] {
    const { namespace } = object.metadata
    if (!namespace) return []
    return quotas.lister.list(namespace).filter(quota => {
      const now = usageOf(quota, kind, [object])
      return old ? !resourceList.same(now, usageOf(quota, kind, [old])) : Object.keys(now).length > 0
    })
  }

  /** What the objects, all of one kind, use of what the quota limits. */
  function usageOf(quota: core.ResourceQuota, { type }: Kind, objects: KubeObject[]): ResourceList {
    const evaluator = evaluatorOf(type)
    const measured = Object.keys(quota.spec.hard ?? {}).filter(evaluator.measures)
    let used = resourceList.zeros(measured)
    for (const object of measured.length ? objects : []) {
      if (!inScopes(evaluator, quota, object)) continue
      used = resourceList.add(used, resourceList.pick(evaluator.usage(object, clock.now()), measured))
    }
    return used
  }

  function count(quota: core.ResourceQuota): ResourceList {
    let used: ResourceList = {}
    for (const kind of kinds.all()) {
      const { type, informer } = kind
      if (!type.namespaced || Object.keys(usageOf(quota, kind, [])).length === 0) continue
      if (!informer.hasSynced) throw new Error(`${type.resource} are not counted yet`)
      used = resourceList.add(used, usageOf(quota, kind, informer.lister.list(quota.metadata.namespace)))
    }
    return used
  }

  return startController({
    name: 'resourcequota',
    sources: [changes],
    needs: [kinds],
    clock,
    log,
    async reconcile(key) {
      const quota = quotas.lister.getByKey(key)
      if (!quota) return
      const { spec, status } = quota
      const hard = spec.hard ?? {}
      const counted = count(quota)
      const used = resourceList.pick({ ...status.used, ...counted }, Object.keys(hard))
      const known = status.hard && status.used && resourceList.same(hard, status.hard)
      if (!known || !resourceList.same(used, status.used))
        await found(
          client.update(resources.resourceQuotas, { ...quota, status: { hard, used } }, { subresource: 'status' }),
        )
      return { after: isLess(used, status.used) ? SETTLED : RESYNC }
    },
  })
}

const isLess = (now: ResourceList, before: ResourceList = {}): boolean =>
  Object.keys(now).some(name => before[name] !== undefined && quantity.compare(now[name]!, before[name]) < 0)
