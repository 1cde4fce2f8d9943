import {
  encodeMessage,
  encodeProtobuf,
  envelope,
  listEnvelope,
  listItem,
  listItemSize,
  watchFrame,
} from '../../encoding/index.ts'
import type { Bytes, Entry } from '../../store/index.ts'
import { PROTOBUF_TYPE } from '../pipeline/formats.ts'
import { decodeEntry } from '../registry/served.ts'
import { bookmarkMeta, type View } from './view.ts'

/** What the objects are shown as, and the model's type of that. */
interface ProtobufKind {
  apiVersion: string
  kind: string
  type: string
}

/**
 * Objects as messages, which are made from the decoded objects, and kept beside the stored bytes for as long as the store has
 * those at hand.
 */
export function protobufView({ apiVersion, kind, type }: ProtobufKind): View {
  const of = { apiVersion, kind }
  const known = new WeakMap<Bytes, Buffer>()
  const message = (entry: Entry): Buffer => {
    let made = known.get(entry.value)
    if (!made) {
      made = encodeMessage(type, decodeEntry(entry))
      known.set(entry.value, made)
    }
    return made
  }
  /** The last state of a deleted object has the revision of the deletion, and so is not the one that is kept. */
  const messageAt = (entry: Entry, revision: number): Buffer =>
    revision === entry.modRevision ? message(entry) : encodeMessage(type, decodeEntry(entry, revision))
  return {
    type: PROTOBUF_TYPE,
    watchType: `${PROTOBUF_TYPE};stream=watch`,
    single: entry => envelope(of, message(entry)),
    async *list(meta, chunks) {
      // How long it all is comes first, so that a long list is gone through twice rather than held as a whole.
      let size = 0
      for await (const entries of chunks) for (const entry of entries) size += listItemSize(message(entry))
      const { head, tail } = listEnvelope({ apiVersion, kind: `${kind}List` }, meta, size)
      yield head
      for await (const entries of chunks) yield Buffer.concat(entries.map(entry => listItem(message(entry))))
      yield tail
    },
    event: (event, entry, revision) => watchFrame(event, envelope(of, messageAt(entry, revision))),
    bookmark: (revision, initialEnd) =>
      watchFrame(
        'BOOKMARK',
        encodeProtobuf(type, { ...of, metadata: bookmarkMeta(revision, initialEnd) } as typeof of),
      ),
    error: status => watchFrame('ERROR', encodeProtobuf('meta/v1.Status', status)),
  }
}
