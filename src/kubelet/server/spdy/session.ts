import type { Socket } from 'node:net'
import { dataFrames, type Frame, FrameReader, pingFrame, synStream } from './frames.ts'

export interface SessionHandlers {
  data(stream: SpdyStream, data: Buffer): void
  /** The other side sends nothing more on it. */
  finished(stream: SpdyStream): void
  closed(): void
}

export interface SpdyStream {
  id: number
  /** `stdin`, `stdout`, `stderr`, `error`, `resize`. */
  type: string
}

/** The client's side of one SPDY connection. */
export class SpdySession {
  readonly #socket: Socket
  readonly #handlers: SessionHandlers
  readonly #streams = new Map<number, SpdyStream>()
  readonly #waiting = new Map<number, { resolve(): void; reject(error: Error): void }>()
  #nextId = 1

  constructor(socket: Socket, handlers: SessionHandlers) {
    this.#socket = socket
    this.#handlers = handlers
    const reader = new FrameReader()
    socket.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#receive(frame)
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the container runtime closed the connection'))
      handlers.closed()
    })
    socket.resume()
  }

  /** Opens a stream; resolves when the other side has taken it. Names of headers are in lower case. */
  async open(type: string, headers: Record<string, string> = {}): Promise<SpdyStream> {
    const id = this.#nextId
    this.#nextId += 2
    const stream = { id, type }
    this.#streams.set(id, stream)
    const taken = new Promise<void>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#socket.write(synStream(id, { streamtype: type, ...headers }, id === 1))
    await taken
    return stream
  }

  /** False when the connection is full: wait for `drained`. */
  write({ id }: SpdyStream, data: Buffer): boolean {
    return data.length === 0 || this.#socket.write(dataFrames(id, data))
  }

  /** Sends nothing more on this stream; the other direction stays open. */
  finish({ id }: SpdyStream): void {
    if (this.#socket.writable) this.#socket.write(dataFrames(id, Buffer.alloc(0), true))
  }

  drained(): Promise<void> {
    return new Promise(resolve => {
      this.#socket.once('drain', resolve)
      this.#socket.once('close', resolve)
    })
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.end()
    this.#socket.destroySoon()
  }

  #receive(frame: Frame): void {
    if (frame.type === 'ping') {
      // Ours have odd numbers and are never sent: this is a question.
      if (frame.id % 2 === 0) this.#socket.write(pingFrame(frame.id))
    } else if (frame.type === 'reply') {
      this.#waiting.get(frame.streamId)?.resolve()
      this.#waiting.delete(frame.streamId)
      if (frame.fin) this.#finished(frame.streamId)
    } else if (frame.type === 'reset') {
      this.#waiting.get(frame.streamId)?.reject(new Error('the container runtime refused the stream'))
      this.#waiting.delete(frame.streamId)
      this.#finished(frame.streamId)
    } else if (frame.type === 'data') {
      const stream = this.#streams.get(frame.streamId)
      if (stream && frame.data.length > 0) this.#handlers.data(stream, frame.data)
      if (frame.fin) this.#finished(frame.streamId)
    } else if (frame.type === 'goaway') this.#socket.end()
  }

  #finished(id: number): void {
    const stream = this.#streams.get(id)
    if (!stream) return
    this.#streams.delete(id)
    this.#handlers.finished(stream)
  }
}
