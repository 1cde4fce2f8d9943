import type { Entry } from '../../store/index.ts'
import { JSON_TYPE } from '../pipeline/formats.ts'
import { bookmarkMeta, type Chunks, type ListMeta, type View } from './view.ts'

/** What the views in JSON differ by. */
interface JsonShape {
  /** Of the object of a bookmark. */
  kind: string
  apiVersion: string
  /** What stands before the first item of a list. */
  head(meta: ListMeta): string
  /** Objects within a list, with commas between them, and before them unless they are the first. */
  items(entries: Entry[], first: boolean, memory: Memory): Buffer
  single: View['single']
  event: View['event']
}

/** Gives a buffer of so many bytes. */
export type Memory = (length: number) => Buffer

/** The same memory again and again: new memory for each chunk of a long list would cost more than to fill it. */
function reused(): Memory {
  let buffer = Buffer.alloc(0)
  return length => {
    if (length > buffer.length) buffer = Buffer.allocUnsafeSlow(length)
    return buffer.subarray(0, length)
  }
}

const TAIL = Buffer.from(']}\n')

export const jsonView = ({ kind, apiVersion, head, items, single, event }: JsonShape): View => ({
  type: JSON_TYPE,
  watchType: JSON_TYPE,
  single,
  async *list(meta: ListMeta, chunks: Chunks) {
    yield Buffer.from(head(meta))
    const memory = reused()
    let first = true
    for await (const entries of chunks) {
      if (!entries.length) continue
      yield items(entries, first, memory)
      first = false
    }
    yield TAIL
  },
  event,
  bookmark: (revision, initialEnd) => {
    const object = { kind, apiVersion, metadata: bookmarkMeta(revision, initialEnd) }
    return Buffer.from(`{"type":"BOOKMARK","object":${JSON.stringify(object)}}\n`)
  },
  error: status => Buffer.from(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`),
})
