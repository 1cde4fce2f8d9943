/**
 * The frames of SPDY/3.1 that a client of container streams sends and receives.
 * Source: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
 */
export type Frame =
  | { type: 'data'; streamId: number; fin: boolean; data: Buffer }
  | { type: 'reply'; streamId: number; fin: boolean }
  | { type: 'reset'; streamId: number; status: number }
  | { type: 'ping'; id: number }
  | { type: 'goaway' }
  | { type: 'other' }

const CONTROL = 0x8000
const VERSION = 3
const HEADER = 8
const FIN = 1

const SYN_STREAM = 1
const SYN_REPLY = 2
const RST_STREAM = 3
const PING = 6
const GOAWAY = 7

/** The largest that 24 bits can say. */
const MAX_DATA = (1 << 24) - 1

function control(type: number, flags: number, body: Buffer): Buffer {
  const frame = Buffer.alloc(HEADER + body.length)
  frame.writeUInt16BE(CONTROL | VERSION, 0)
  frame.writeUInt16BE(type, 2)
  frame.writeUInt32BE(body.length, 4)
  frame[4] = flags
  body.copy(frame, HEADER)
  return frame
}

export function dataFrames(streamId: number, data: Buffer, fin = false): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at < data.length || at === 0; at += MAX_DATA) {
    const part = data.subarray(at, at + MAX_DATA)
    const header = Buffer.alloc(HEADER)
    header.writeUInt32BE(streamId, 0)
    header.writeUInt32BE(part.length, 4)
    header[4] = fin && at + MAX_DATA >= data.length ? FIN : 0
    frames.push(header, part)
  }
  return Buffer.concat(frames)
}

export const pingFrame = (id: number): Buffer => {
  const body = Buffer.alloc(4)
  body.writeUInt32BE(id)
  return control(PING, 0, body)
}

/** `first` is the connection's first frame with headers: the compressed stream of all headers begins in it. */
export function synStream(streamId: number, headers: Record<string, string>, first: boolean): Buffer {
  const ids = Buffer.alloc(10)
  ids.writeUInt32BE(streamId, 0)
  return control(SYN_STREAM, 0, Buffer.concat([ids, deflated(headerBlock(headers), first)]))
}

function headerBlock(headers: Record<string, string>): Buffer {
  const parts: Buffer[] = [number(Object.keys(headers).length)]
  for (const [name, value] of Object.entries(headers))
    for (const text of [name.toLowerCase(), value]) parts.push(number(Buffer.byteLength(text)), Buffer.from(text))
  return Buffer.concat(parts)
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/**
 * Headers travel as one zlib stream over the whole connection. Ours are a few dozen bytes once, so they go as stored
 * blocks, which need neither a compressor that keeps state nor SPDY's dictionary. The empty block at the end is zlib's
 * sync flush: without it the reader waits for more before it hands out what it has.
 */
function deflated(block: Buffer, first: boolean): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt16LE(block.length, 1)
  header.writeUInt16LE(~block.length & 0xffff, 3)
  return Buffer.concat([first ? ZLIB_HEADER : Buffer.alloc(0), header, block, SYNC_FLUSH])
}

const ZLIB_HEADER = Buffer.from([0x78, 0x01])
const SYNC_FLUSH = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff])

/** Cuts a byte stream into frames. Headers of replies are not looked into: an answer is all that counts. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The frames that this piece completes. */
  push(chunk: Buffer): Frame[] {
    let rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const frames: Frame[] = []
    while (rest.length >= HEADER) {
      const end = HEADER + (rest.readUInt32BE(4) & 0xffffff)
      if (rest.length < end) break
      frames.push(parse(rest.subarray(0, end)))
      rest = rest.subarray(end)
    }
    this.#rest = rest
    return frames
  }
}

function parse(frame: Buffer): Frame {
  const flags = frame[4]!
  const body = frame.subarray(HEADER)
  const head = frame.readUInt32BE(0)
  const fin = (flags & FIN) !== 0
  if (head >>> 31 === 0) return { type: 'data', streamId: head, fin, data: body }
  switch (head & 0xffff) {
    case SYN_REPLY:
      return { type: 'reply', streamId: body.readUInt32BE(0) & 0x7fffffff, fin }
    case RST_STREAM:
      return { type: 'reset', streamId: body.readUInt32BE(0) & 0x7fffffff, status: body.readUInt32BE(4) }
    case PING:
      return { type: 'ping', id: body.readUInt32BE(0) }
    case GOAWAY:
      return { type: 'goaway' }
    default:
      return { type: 'other' }
  }
}
