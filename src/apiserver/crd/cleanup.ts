import { formatTime, is, withCondition } from '../../api/index.ts'
import { deleteCollection } from '../registry/delete-collection.ts'
import { type Call, ownCall, type Registry } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import { update } from '../registry/update.ts'
import type { Definition } from './conversion.ts'

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

/** Milliseconds between two looks at what still has finalizers. */
const SHORTEST = 50
const LONGEST = 5000

/** Deletes every object of a definition that is being deleted, waits until all are gone, and lets the definition go. */
export async function cleanUp(
  registry: Registry,
  definitions: Served<Definition>,
  name: string,
  /** Any version; absent when the definition was never served. */
  objects: Served | undefined,
  signal: AbortSignal,
): Promise<void> {
  const call = ownCall(definitions as unknown as Served, '', name)
  const change = (call: Call, transform: (definition: Definition) => void) =>
    update(
      registry,
      call,
      object => {
        transform(object as Definition)
        return object
      },
      { relative: true },
    ).catch(error => {
      if (!is(error, 'NotFound')) throw error
    })
  const ofStatus = { ...call, subresource: 'status' }
  const tell = (definition: Definition, status: 'True' | 'False', reason: string, message: string) => {
    const lastTransitionTime = formatTime(registry.clock.now())
    const condition = { type: 'Terminating', status, lastTransitionTime, reason, message }
    definition.status.conditions = withCondition(definition.status.conditions, condition)
  }
  await change(ofStatus, definition =>
    tell(definition, 'True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress'),
  )
  if (objects) await deleteAll(registry, objects, signal)
  await change(ofStatus, definition => {
    if (objects) tell(definition, 'False', 'InstanceDeletionCompleted', 'removed all instances')
    else tell(definition, 'False', 'NeverEstablished', 'resource was never established')
  })
  await change(call, ({ metadata }) => {
    metadata.finalizers = metadata.finalizers?.filter(each => each !== CLEANUP_FINALIZER)
  })
}

async function deleteAll(registry: Registry, objects: Served, signal: AbortSignal): Promise<void> {
  const { store, clock } = registry
  const call = { ...ownCall(objects, ''), admitted: true }
  await deleteCollection(registry, call, { kind: 'DeleteOptions', apiVersion: 'v1' }, new URLSearchParams())
  for (let pause = SHORTEST; (await store.count(objects.prefix)) > 0; pause = Math.min(pause * 2, LONGEST))
    await clock.sleep(pause, signal)
}
