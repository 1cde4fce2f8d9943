import type { Entry } from '../../store/index.ts'
import type { Served } from '../registry/served.ts'

export interface ListMeta {
  resourceVersion: string
  continue?: string
  remainingItemCount?: number
}

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** How the objects of one resource are shown to one client: as they are, as a Table, or by their metadata only. */
export interface View {
  /** One object, as GET and the writing verbs answer it. */
  single(entry: Entry): Buffer
  /** What stands before the first item of a list. */
  head(meta: ListMeta): Buffer
  /** Objects within a list, with commas between them, and before them unless they are the first. */
  items(entries: Entry[], first: boolean): Buffer
  /** What follows the last item. */
  tail: Buffer
  /** One line of a watch. A deletion shows the last state with the revision of the deletion. */
  event(type: EventType, entry: Entry, revision: number): Buffer
  /** A line that only says how far the watch has come; `initialEnd` after the last of the initial events. */
  bookmark(revision: number, initialEnd: boolean): Buffer
}

export type MakeView = (served: Served) => View
