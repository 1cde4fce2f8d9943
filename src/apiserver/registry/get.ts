import { errors } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import { type Call, type Registry, storeOf } from './registry.ts'
import { keyOf } from './served.ts'

/** The object's bytes as they are now. Rejects with NotFound. */
export async function get(registry: Registry, { served, namespace, name }: Call): Promise<Entry> {
  const entry = await storeOf(registry, served).get(keyOf(served, namespace, name))
  if (!entry) throw errors.notFound(served.resource, name)
  return entry
}
