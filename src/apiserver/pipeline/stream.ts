import { pipeline, type Writable } from 'node:stream'
import type { Listing } from '../registry/list.ts'
import type { Sink } from '../registry/watch.ts'
import type { View } from '../views/view.ts'
import { COMPRESSED, compressor, takesGzip } from './compress.ts'
import type { Context, Reply } from './context.ts'
import { commonHeaders, drained, outgoing, tolerateLoss } from './respond.ts'

/** Bytes that may wait for a slow watcher before it is dropped. */
export const MAX_BEHIND = 16 * 1024 * 1024

/** A list as an answer: whole when it is short, else a stream that goes on as fast as the client reads. */
export async function streamList(
  context: Context,
  view: View,
  { meta, chunks, whole }: Listing,
): Promise<Reply | undefined> {
  const { type, rewrite } = view
  const parts = view.list(meta, chunks)
  if (whole || rewrite) {
    const body = await Array.fromAsync(parts)
    return {
      status: 200,
      body: body.length === 1 ? body[0]! : Buffer.concat(body),
      type,
      ...(rewrite ? { rewrite } : {}),
    }
  }
  tolerateLoss(context)
  const response = outgoing(context)
  const zip = takesGzip(context.request) ? compressor() : undefined
  response.writeHead(200, { ...commonHeaders(context), 'Content-Type': type, ...(zip ? COMPRESSED : {}) })
  if (zip) pipeline(zip, response, () => {})
  const out: Writable = zip ?? response
  for await (const part of parts) {
    if (response.destroyed) return undefined
    if (!out.write(part)) await drained(out)
  }
  out.end()
  return undefined
}

/** Opens the answer to a watch. The headers go out at once, so that the client knows that it is watching. */
export function streamWatch(context: Context, type: string): Sink {
  tolerateLoss(context)
  const response = outgoing(context)
  response.writeHead(200, { ...commonHeaders(context), 'Content-Type': type })
  response.flushHeaders?.()
  const { signal } = context
  signal.addEventListener('abort', () => response.end(), { once: true })
  return {
    write(events) {
      if (response.destroyed || response.writableEnded) return false
      response.write(events.length === 1 ? events[0]! : Buffer.concat(events))
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
