import { allResources, type core, formatTime, is, type KubeObject, type Resource, resources } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { from, startController } from '../client/index.ts'
import type { Context } from './context.ts'
import { customResource } from './custom-resource.ts'
import { found } from './found.ts'

/** Who must agree before a namespace goes: Kubernetes itself, which is this controller. */
const FINALIZER = 'kubernetes'

/** What a namespace can contain, besides custom resources. Two resources of one kind show the same objects. */
const BUILT_IN: Resource[] = allResources.filter(
  type =>
    type.namespaced &&
    type.verbs.includes('deletecollection') &&
    type.verbs.includes('list') &&
    type !== (resources.horizontalPodAutoscalersV1 as Resource) &&
    type !== (resources.eventsV1 as Resource),
)

/** Milliseconds, at the least; what takes its time to end is given half of it. */
const LOOK_AGAIN = 5000

interface Remains {
  /** How many objects there still are, by resource. */
  left: Map<string, number>
  /** How many of them wait for somebody, by finalizer. */
  held: Map<string, number>
  failures: string[]
  /** The longest that a pod may take to end, in milliseconds. */
  grace: number
}

/**
 * Empties namespaces that are being deleted, pods first, and then lets them go.
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/namespaces/#deleting-a-namespace
 */
export function startNamespaceController({ client, informers, clock, log }: Context): Component {
  const namespaces = informers.get(resources.namespaces)
  const definitions = informers.get(resources.customResourceDefinitions)
  const pods = informers.get(resources.pods)

  return startController({
    name: 'namespace',
    workers: 10,
    sources: [from(namespaces), from(pods, emptiedBy)],
    needs: [definitions],
    reconcile,
    clock,
    log,
  })

  /** The terminating namespace of which this was the last pod. */
  function emptiedBy({ metadata: { namespace } }: core.Pod): string | undefined {
    const terminating = !!namespaces.lister.getByKey(namespace)?.metadata.deletionTimestamp
    return terminating && pods.lister.list(namespace).length === 0 ? namespace : undefined
  }

  async function reconcile(key: string) {
    const seen = namespaces.lister.getByKey(key)
    if (!seen?.metadata.deletionTimestamp) return
    const namespace = await found(client.get(resources.namespaces, { name: key }))
    if (namespace?.metadata.uid !== seen.metadata.uid || !namespace.spec.finalizers?.includes(FINALIZER)) return
    const remains = await empty(namespace)
    const updated = await writeStatus(namespace, conditionsOf(remains))
    if (remains.failures.length > 0) throw new Error(remains.failures.join('; '))
    if (remains.left.size > 0) return { after: Math.max(LOOK_AGAIN, remains.grace / 2) }
    await finalize(updated)
  }

  /** Other objects stay until no pod is left, since pods may need them to end well. */
  async function empty({ metadata }: core.Namespace): Promise<Remains> {
    const remains: Remains = { left: new Map(), held: new Map(), failures: [], grace: 0 }
    await emptyOf(resources.pods as Resource, metadata.name, remains)
    if (remains.left.size > 0 || remains.failures.length > 0) return remains
    const custom = definitions.lister.list().flatMap(definition => customResource(definition) ?? [])
    const contents = [...BUILT_IN, ...custom.filter(type => type.namespaced)]
    await Promise.all(contents.map(type => emptyOf(type, metadata.name, remains)))
    return remains
  }

  async function emptyOf(type: Resource, namespace: string, remains: Remains): Promise<void> {
    try {
      if ((await list(type, namespace)).length === 0) return
      await client.deleteCollection(type, { namespace, propagationPolicy: 'Background' })
      note(type, await list(type, namespace), remains)
    } catch (error) {
      // What is not served holds nothing.
      if (is(error, 'NotFound') || is(error, 'MethodNotAllowed')) return
      remains.failures.push((error as Error).message)
    }
  }

  async function list(type: Resource, namespace: string): Promise<KubeObject[]> {
    return (await client.list(type, { namespace, metadataOnly: true })).items
  }

  async function writeStatus(namespace: core.Namespace, conditions: Condition[]): Promise<core.Namespace> {
    const before = namespace.status.conditions ?? []
    const after = conditions.map(condition => dated(condition, before))
    const others = before.filter(({ type }) => !conditions.some(condition => condition.type === type))
    if (after.every(condition => before.includes(condition))) return namespace
    const status = { ...namespace.status, conditions: [...others, ...after] }
    return await client.update(resources.namespaces, { ...namespace, status }, { subresource: 'status' })
  }

  /** A condition that says the same as before is the one before. */
  function dated(condition: Condition, before: core.NamespaceCondition[]): core.NamespaceCondition {
    const { type, status, reason, message } = condition
    const old = before.find(each => each.type === type)
    if (old?.status === status && old.reason === reason && old.message === message) return old
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : formatTime(clock.now())
    return { ...condition, lastTransitionTime }
  }

  async function finalize(namespace: core.Namespace): Promise<void> {
    const finalizers = namespace.spec.finalizers?.filter(finalizer => finalizer !== FINALIZER)
    await found(
      client.update(resources.namespaces, { ...namespace, spec: { finalizers } }, { subresource: 'finalize' }),
    )
  }
}

type Condition = Required<Omit<core.NamespaceCondition, 'lastTransitionTime'>>

function note({ resource, group }: Resource, objects: KubeObject[], remains: Remains): void {
  if (objects.length === 0) return
  remains.left.set(`${resource}.${group}`, objects.length)
  for (const { metadata } of objects) {
    for (const finalizer of metadata.finalizers ?? []) {
      remains.held.set(finalizer, (remains.held.get(finalizer) ?? 0) + 1)
    }
    remains.grace = Math.max(remains.grace, (metadata.deletionGracePeriodSeconds ?? 0) * 1000)
  }
}

/** In upstream's words. Source: k8s.io/kubernetes/pkg/controller/namespace/deletion/status_condition_utils.go */
function conditionsOf({ left, held, failures }: Remains): Condition[] {
  const counts = (entries: Map<string, number>, write: (name: string, count: number) => string) =>
    Array.from(entries, ([name, count]) => write(name, count))
      .sort()
      .join(', ')
  const problem = (type: string, reason: string, message: string): Condition => ({
    type,
    status: 'True',
    reason,
    message,
  })
  const fine = (type: string, reason: string, message: string): Condition => ({
    type,
    status: 'False',
    reason,
    message,
  })
  return [
    fine('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'),
    fine(
      'NamespaceDeletionGroupVersionParsingFailure',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    failures.length > 0
      ? problem(
          'NamespaceDeletionContentFailure',
          'ContentDeletionFailed',
          `Failed to delete all resource types, ${failures.length} remaining: ${failures.toSorted().join(', ')}`,
        )
      : fine(
          'NamespaceDeletionContentFailure',
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ),
    left.size > 0
      ? problem(
          'NamespaceContentRemaining',
          'SomeResourcesRemain',
          `Some resources are remaining: ${counts(left, (name, count) => `${name} has ${count} resource instances`)}`,
        )
      : fine('NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'),
    held.size > 0
      ? problem(
          'NamespaceFinalizersRemaining',
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${counts(held, (name, count) => `${name} in ${count} resource instances`)}`,
        )
      : fine('NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'),
  ]
}
