import type { Listing } from '../registry/list.ts'
import type { Sink } from '../registry/watch.ts'
import type { View } from '../views/view.ts'
import type { Context, Reply } from './context.ts'
import { commonHeaders, drained, JSON_TYPE, outgoing, tolerateLoss } from './respond.ts'

/** Bytes that may wait for a slow watcher before it is dropped. */
const MAX_BEHIND = 16 * 1024 * 1024

/** A list as an answer: whole when it is short, else a stream that goes on as fast as the client reads. */
export async function streamList(
  context: Context,
  view: View,
  { meta, chunks, whole }: Listing,
): Promise<Reply | undefined> {
  if (whole) {
    const parts = [view.head(meta)]
    for await (const entries of chunks) parts.push(view.items(entries, true))
    return { status: 200, body: Buffer.concat([...parts, view.tail]) }
  }
  tolerateLoss(context)
  const response = outgoing(context)
  response.writeHead(200, { ...commonHeaders(context), 'Content-Type': JSON_TYPE })
  response.write(view.head(meta))
  let first = true
  for await (const entries of chunks) {
    if (!entries.length) continue
    if (response.destroyed) return undefined
    if (!response.write(view.items(entries, first))) await drained(context)
    first = false
  }
  response.end(view.tail)
  return undefined
}

/** Opens the answer to a watch. The headers go out at once, so that the client knows that it is watching. */
export function streamWatch(context: Context): Sink {
  tolerateLoss(context)
  const response = outgoing(context)
  response.writeHead(200, { ...commonHeaders(context), 'Content-Type': JSON_TYPE })
  response.flushHeaders?.()
  const { signal } = context
  signal.addEventListener('abort', () => response.end(), { once: true })
  return {
    write(line) {
      if (response.destroyed || response.writableEnded) return false
      response.write(line)
      if (waiting(context) <= MAX_BEHIND) return true
      response.destroy()
      return false
    },
    end: () => void response.end(),
    closed: run => void response.once('close', run),
  }
}

/** Bytes that are written and not yet sent. */
function waiting(context: Context): number {
  const { response } = context
  return 'stream' in response ? (response.stream?.writableLength ?? 0) : response.writableLength
}
