import { watch } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../../base/index.ts'
import { parseLogLine } from './log-format.ts'

export interface LogOptions {
  follow: boolean
  timestamps: boolean
  tailLines?: number
  limitBytes?: number
  /** Milliseconds since the epoch. */
  since?: number
  /** `stdout` or `stderr`; both when left out. */
  stream?: string
}

export interface LogSource {
  path: string
  /** Whether more may come. */
  isRunning(): Promise<boolean>
  clock: Clock
  signal: AbortSignal
}

const CHUNK = 64 * 1024
const NEWLINE = 0x0a
/** Milliseconds between looks at a file that is followed, besides those that a change causes. */
const POLL = 1_000

/** The text of a container's log, in pieces. Follows over rotation, and ends after the container. */
export async function* readLogs(source: LogSource, options: LogOptions): AsyncGenerator<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY
  const format = lineFormatter(options)
  for await (const line of readLines(source, options)) {
    const text = format(line)
    if (!text || text.length === 0) continue
    const piece = text.length > left ? text.subarray(0, left) : text
    left -= piece.length
    if (piece.length > 0) yield piece
    if (left <= 0) return
  }
}

/** Partial lines are joined again; a time stands before the first part only. */
function lineFormatter({ timestamps, since, stream }: LogOptions): (line: Buffer) => Buffer | undefined {
  let continues = false
  return line => {
    const parsed = parseLogLine(line)
    if (!parsed || (stream && parsed.stream !== stream)) return undefined
    if (since !== undefined && Date.parse(parsed.time) < since) return undefined
    const prefix = timestamps && !continues ? Buffer.from(`${parsed.time} `) : EMPTY
    continues = parsed.partial
    return Buffer.concat([prefix, parsed.text, parsed.partial ? EMPTY : LINE_END])
  }
}

const EMPTY = Buffer.alloc(0)
const LINE_END = Buffer.from('\n')

/** Raw lines of the log file, without their newlines. */
async function* readLines(source: LogSource, options: LogOptions): AsyncGenerator<Buffer> {
  const { path, clock, signal } = source
  let file = await open(path, 'r')
  const changes = options.follow ? watchFile(path, clock, signal) : undefined
  try {
    let at = options.tailLines === undefined ? 0 : await tailStart(file, options.tailLines)
    let rest: Buffer = EMPTY
    let ended = !options.follow
    while (!signal.aborted) {
      const { chunk, next } = await readChunk(file, at)
      at = next
      if (chunk.length > 0) {
        const { lines, remainder } = split(rest, chunk)
        rest = remainder
        yield* lines
        continue
      }
      if (await wasReplaced(file, path)) {
        await file.close()
        file = await open(path, 'r')
        at = 0
        continue
      }
      // The end of the container is seen before the last look at the file, so nothing it wrote is missed.
      if (ended) break
      ended = !(await source.isRunning())
      if (!ended) await changes?.next()
    }
    if (rest.length > 0) yield rest
  } finally {
    changes?.close()
    await file.close()
  }
}

async function readChunk(file: FileHandle, at: number): Promise<{ chunk: Buffer; next: number }> {
  const buffer = Buffer.allocUnsafe(CHUNK)
  const { bytesRead } = await file.read(buffer, 0, CHUNK, at)
  return { chunk: buffer.subarray(0, bytesRead), next: at + bytesRead }
}

function split(rest: Buffer, chunk: Buffer): { lines: Buffer[]; remainder: Buffer } {
  const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
  const lines: Buffer[] = []
  let from = 0
  for (let end = data.indexOf(NEWLINE); end !== -1; end = data.indexOf(NEWLINE, from)) {
    lines.push(data.subarray(from, end))
    from = end + 1
  }
  return { lines, remainder: data.subarray(from) }
}

/** Where the last `count` lines begin. */
async function tailStart(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat()
  if (count <= 0) return size
  let seen = 0
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK)
    const buffer = Buffer.allocUnsafe(end - start)
    const { bytesRead } = await file.read(buffer, 0, end - start, start)
    for (let index = bytesRead - 1; index >= 0; index--) {
      // The newline at the very end closes the last line and begins none.
      if (buffer[index] !== NEWLINE || start + index === size - 1) continue
      if (++seen === count) return start + index + 1
    }
    end = start
  }
  return 0
}

/** Rotated away: the name now belongs to another file. */
async function wasReplaced(file: FileHandle, path: string): Promise<boolean> {
  const [old, now] = await Promise.all([file.stat(), stat(path).catch(() => undefined)])
  return now !== undefined && now.ino !== old.ino
}

interface Changes {
  /** Resolves after the next change, or a moment. */
  next(): Promise<void>
  close(): void
}

function watchFile(path: string, clock: Clock, signal: AbortSignal): Changes {
  let changed = false
  let wake = () => {}
  const watcher = watch(dirname(path), { persistent: false }, () => {
    changed = true
    wake()
  })
  watcher.on('error', () => {})
  return {
    async next() {
      if (!changed)
        await new Promise<void>(resolve => {
          const timer = clock.after(POLL, () => wake())
          wake = () => {
            timer.cancel()
            signal.removeEventListener('abort', wake)
            resolve()
          }
          signal.addEventListener('abort', wake, { once: true })
        })
      changed = false
    },
    close: () => watcher.close(),
  }
}
