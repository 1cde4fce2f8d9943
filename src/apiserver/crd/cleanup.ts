import { is, type KubeObject } from '../../api/index.ts'
import { deleteCollection } from '../registry/delete-collection.ts'
import { ownCall, type Registry } from '../registry/registry.ts'
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
  if (objects) await deleteAll(registry, objects, signal)
  const call = ownCall(definitions as unknown as Served, '', name)
  const release = (object: KubeObject) => {
    object.metadata.finalizers = object.metadata.finalizers?.filter(each => each !== CLEANUP_FINALIZER)
    return object
  }
  await update(registry, call, release, { relative: true }).catch(error => {
    if (!is(error, 'NotFound')) throw error
  })
}

async function deleteAll(registry: Registry, objects: Served, signal: AbortSignal): Promise<void> {
  const { store, clock } = registry
  const call = { ...ownCall(objects, ''), admitted: true }
  await deleteCollection(registry, call, { kind: 'DeleteOptions', apiVersion: 'v1' }, new URLSearchParams())
  for (let pause = SHORTEST; (await store.count(objects.prefix)) > 0; pause = Math.min(pause * 2, LONGEST))
    await clock.sleep(pause, signal)
}
