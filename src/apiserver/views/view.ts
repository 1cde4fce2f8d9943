import type { meta } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import type { Rewrite } from '../pipeline/formats.ts'

export interface ListMeta {
  /** Absent where nothing is kept. */
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** The entries of a list, a chunk at a time, good until the next is asked for; they can be gone through more than once. */
export type Chunks = AsyncIterable<Entry[]> | Iterable<Entry[]>

/**
 * How the objects of one resource are shown to one client: as they are, as a Table, or by their metadata only; in JSON or in
 * protobuf.
 */
export interface View {
  /** The media type of whole answers, and that of a watch. */
  type: string
  watchType: string
  /** Whole answers are written in yet another form at last; they are JSON here. */
  rewrite?: Rewrite
  /** One object, as GET and the writing verbs answer it. */
  single(entry: Entry): Buffer
  /** A whole list, in parts that are sent one after another. Each is good until the next is asked for. */
  list(meta: ListMeta, chunks: Chunks): AsyncIterable<Buffer>
  /** One event of a watch. A deletion shows the last state with the revision of the deletion. */
  event(type: EventType, entry: Entry, revision: number): Buffer
  /** An event that only says how far the watch has come; `initialEnd` after the last of the initial events. */
  bookmark(revision: number, initialEnd: boolean): Buffer
  /** The event that says why a watch cannot go on. */
  error(status: meta.Status): Buffer
}

/** The metadata of a bookmark, which says no more than that. */
export const bookmarkMeta = (revision: number, initialEnd: boolean) => ({
  resourceVersion: String(revision),
  ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
})
