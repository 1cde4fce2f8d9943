import { is, type meta } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import { remove } from './delete.ts'
import { type Listing, list } from './list.ts'
import type { Call, Registry } from './registry.ts'
import { decodeEntry } from './served.ts'

/** How many deletes are under way at once. */
const WORKERS = 16

/** Deletes everything that a list would show, and lists what it was. What is gone meanwhile is no error. */
export async function deleteCollection(
  registry: Registry,
  call: Call,
  options: meta.DeleteOptions,
  query: URLSearchParams,
): Promise<Listing> {
  const { meta: listMeta, chunks } = await list(registry, call, query)
  const entries: Entry[] = []
  for await (const chunk of chunks) for (const entry of chunk) entries.push({ ...entry, value: entry.value.slice() })
  let next = 0
  const worker = async () => {
    while (next < entries.length) {
      const { namespace, name } = decodeEntry(entries[next++]!).metadata
      try {
        await remove(registry, { ...call, namespace: namespace ?? '', name, ofCollection: true }, options)
      } catch (error) {
        if (!is(error, 'NotFound')) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(WORKERS, entries.length) }, worker))
  return { meta: listMeta, chunks: [entries], whole: true }
}
