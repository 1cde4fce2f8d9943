import { errors, StatusError } from '../../api/index.ts'
import { Compacted, type Entry, FutureRevision, type Store } from '../../store/index.ts'
import type { Chunks, ListMeta } from '../views/view.ts'
import { decodeContinue, encodeContinue } from './continue.ts'
import { type ListOptions, listOptions } from './list-options.ts'
import { type Call, type Registry, storeOf } from './registry.ts'
import { reached, tooLarge } from './revisions.ts'
import { type Selection, selection } from './selection.ts'
import { keyOf, prefixOf } from './served.ts'

/** A list: its head, and its entries a chunk at a time. */
export interface Listing {
  meta: ListMeta
  /** Never ends on an empty chunk unless there is nothing at all. Each is good until the next is asked for. */
  chunks: Chunks
  /** Whether there is but one chunk, so that the whole can be answered with its length. */
  whole: boolean
}

/** A list is whole that has no more entries, and not many more bytes. */
const WHOLE = 500
const WHOLE_BYTES = 1024 * 1024
/** How many bytes of a longer one are read in one turn of the event loop: few enough for the processor's caches. */
const CHUNK_BYTES = 256 * 1024

/** Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions and #retrieving-large-results-sets-in-chunks */
export async function list(registry: Registry, call: Call, query: URLSearchParams): Promise<Listing> {
  const { served, shown, namespace } = call
  const options = listOptions(query, 'list')
  const wanted = wantedOf(options)
  const { continue: token } = options
  // What may be as old as it likes upstream takes from its cache, and from there it takes everything.
  const limit = options.resourceVersion === 0 && !token ? 0 : options.limit
  const selected = selection(shown, query)
  const prefix = prefixOf(served, namespace)
  const store = storeOf(registry, served)
  if (wanted.atLeast) await reached(registry, wanted.atLeast)
  try {
    if (selected.name !== undefined && (namespace || !served.resource.namespaced))
      return await listNamed(store, keyOf(served, namespace, selected.name), selected, wanted.exactly)
    if (limit > 0) return await listPage(registry, store, prefix, selected, limit, token, wanted.exactly)
    const from = token ? decodeContinue(token, prefix) : undefined
    return await listAll(
      store,
      prefix,
      selected,
      from?.after,
      from && from.revision > 0 ? from.revision : wanted.exactly,
    )
  } catch (error) {
    throw explained(error, token, prefix, token ? decodeContinue(token, prefix).revision : wanted.exactly)
  }
}

/** Which revision is wanted: one exactly, one at least, or any. */
interface Wanted {
  exactly?: number
  atLeast?: number
}

/** The table of upstream's documentation: what limit, resourceVersion and resourceVersionMatch mean together. */
function wantedOf({ limit, match, resourceVersion, continue: token }: ListOptions): Wanted {
  if (!resourceVersion) return {}
  if (token) throw errors.badRequest('specifying resource version is not allowed when using continue')
  const exact = match === 'Exact' || (!match && limit > 0)
  return exact ? { exactly: resourceVersion } : { atLeast: resourceVersion }
}

/** The one object that the selector names, if it is there. */
async function listNamed(store: Store, key: string, selected: Selection, revision?: number): Promise<Listing> {
  const now = revision ?? (await store.revision())
  const entry = await store.get(key, revision === undefined ? undefined : { revision })
  const entries = entry && selected.matches(entry) ? [entry] : []
  return { meta: { resourceVersion: String(Math.max(now, entry?.modRevision ?? 0)) }, chunks: [entries], whole: true }
}

async function listPage(
  { clock, background }: Registry,
  store: Store,
  prefix: string,
  selected: Selection,
  limit: number,
  token: string,
  exactly?: number,
): Promise<Listing> {
  const from = token ? decodeContinue(token, prefix) : undefined
  let revision = from && from.revision > 0 ? from.revision : exactly
  let after = from?.after
  const entries: Entry[] = []
  for (;;) {
    const began = clock.monotonic()
    const missing = limit - entries.length
    // Of what is selected from there may be few among many.
    const page = selected.everything
      ? await store.list(prefix, { after, limit: missing, revision })
      : await store.list(prefix, { after, limit: Math.max(missing, WHOLE), revision, uncounted: true })
    revision = page.revision
    const found = selected.filter(page.entries)
    const isCut = found.length > missing
    if (isCut) found.length = missing
    for (const entry of found) entries.push(entry)
    after = (isCut ? found : page.entries).at(-1)?.key
    const hasMore = isCut || page.remaining > 0
    if (entries.length < limit && hasMore) {
      await background.rest(clock.monotonic() - began)
      continue
    }
    const meta: ListMeta = { resourceVersion: String(revision) }
    if (hasMore) {
      meta.continue = encodeContinue({ revision, after: after! }, prefix)
      if (selected.everything) meta.remainingItemCount = page.remaining
    }
    return { meta, chunks: [entries], whole: true }
  }
}

/** Everything, read chunk by chunk at one revision, as the client takes it. */
async function listAll(
  store: Store,
  prefix: string,
  selected: Selection,
  after?: string,
  exactly?: number,
): Promise<Listing> {
  const first = await store.list(prefix, {
    after,
    limit: WHOLE,
    bytes: WHOLE_BYTES,
    revision: exactly,
    uncounted: true,
  })
  const { revision } = first
  const meta = { resourceVersion: String(revision) }
  if (!first.remaining) return { meta, chunks: [selected.filter(first.entries)], whole: true }
  async function* chunks() {
    const into = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    for (let page = first; ; ) {
      yield selected.filter(page.entries)
      if (!page.remaining) return
      const { key } = page.entries.at(-1)!
      page = await store.list(prefix, { after: key, bytes: CHUNK_BYTES, into, revision, uncounted: true })
    }
  }
  return { meta, chunks: { [Symbol.asyncIterator]: chunks }, whole: false }
}

function explained(error: unknown, token: string, prefix: string, exactly = 0): unknown {
  if (error instanceof FutureRevision) return tooLarge(exactly, error.newest)
  if (!(error instanceof Compacted)) return error
  if (!token) return errors.expired('The resourceVersion for the provided list is too old.')
  const { after } = decodeContinue(token, prefix)
  return new StatusError({
    ...errors.expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
        'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
        'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
        'deleted between the time the first chunk was returned and now may show up in the list.',
    ).status,
    metadata: { continue: encodeContinue({ revision: -1, after }, prefix) },
  } as ConstructorParameters<typeof StatusError>[0])
}
