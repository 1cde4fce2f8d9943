import { pipeline, type Writable } from 'node:stream'
import type { Listing } from '../registry/list.ts'
import type { Registry } from '../registry/registry.ts'
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
  { clock, background }: Registry,
): Promise<Reply | undefined> {
  const { type, rewrite } = view
  if (whole) return replyOf(view, await Array.fromAsync(view.list(meta, chunks)))
  let waited = 0
  /** The chunks, with a rest after each according to the work that was done with it. */
  async function* paced() {
    let began = clock.monotonic()
    for await (const entries of chunks) {
      yield entries
      await background.rest(clock.monotonic() - began - waited)
      began = clock.monotonic()
      waited = 0
    }
  }
  const parts = view.list(meta, { [Symbol.asyncIterator]: paced })
  if (rewrite || context.audited?.wantsAnswer)
    return replyOf(view, await Array.fromAsync(parts, part => Buffer.from(part)))
  tolerateLoss(context)
  const response = outgoing(context)
  const zip = takesGzip(context.request) ? compressor() : undefined
  response.writeHead(200, { ...commonHeaders(context), 'Content-Type': type, ...(zip ? COMPRESSED : {}) })
  if (zip) pipeline(zip, response, () => {})
  const out: Writable = zip ?? response
  for await (const part of parts) {
    const taken = write(out, part)
    const written = clock.monotonic()
    if (!(await taken)) return undefined
    waited += clock.monotonic() - written
  }
  out.end()
  return undefined
}

const replyOf = ({ type, rewrite }: View, body: Buffer[]): Reply => ({
  status: 200,
  body: body.length === 1 ? body[0]! : Buffer.concat(body),
  type,
  ...(rewrite ? { rewrite } : {}),
})

/** Resolves when the part is on its way and its memory can be used again; to false when the client is gone. */
function write(out: Writable, part: Buffer): Promise<boolean> {
  return new Promise(resolve => {
    const gone = () => resolve(false)
    out.once('close', gone)
    out.write(part, error => {
      out.off('close', gone)
      resolve(!error)
    })
  })
}

/** Opens the answer to a watch. The headers go out at once, so that the client knows that it is watching. */
export function streamWatch(context: Context, type: string): Sink {
  tolerateLoss(context)
  const response = outgoing(context)
  response.writeHead(200, { ...commonHeaders(context), 'Content-Type': type })
  response.flushHeaders?.()
  context.audited?.started()
  const { signal } = context
  signal.addEventListener('abort', () => response.end(), { once: true })
  return {
    write(events) {
      context.watched?.(events)
      if (response.destroyed || response.writableEnded) return false
      response.write(events.length === 1 ? events[0]! : Buffer.concat(events))
      if ((queueOf(context)?.writableLength ?? 0) <= MAX_BEHIND) return true
      response.destroy()
      return false
    },
    drained: () => (queueOf(context)?.writableNeedDrain ? drained(response) : Promise.resolve()),
    end: () => void response.end(),
    closed: run => void response.once('close', run),
  }
}

/** What holds the bytes that are written and not yet sent; undefined when the client is gone. */
function queueOf({ response }: Context): Pick<Writable, 'writableLength' | 'writableNeedDrain'> | undefined {
  return 'stream' in response ? response.stream : response
}
