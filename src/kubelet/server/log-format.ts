/** One line of a container's log file, as runtimes write it: `TIME stdout F text`. Source: the CRI log format */
export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  time: string
  stream: string
  /** The line goes on in the next one: it was longer than the runtime's buffer. */
  partial: boolean
  text: Buffer
}

const SPACE = 0x20

/** Undefined for what is not a log line. `line` comes without its newline. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(SPACE)
  const second = line.indexOf(SPACE, first + 1)
  const third = line.indexOf(SPACE, second + 1)
  if (first === -1 || second === -1) return undefined
  const tagEnd = third === -1 ? line.length : third
  const [tag] = line.toString('latin1', second + 1, tagEnd).split(':')
  if (tag !== 'F' && tag !== 'P') return undefined
  return {
    time: line.toString('latin1', 0, first),
    stream: line.toString('latin1', first + 1, second),
    partial: tag === 'P',
    text: line.subarray(Math.min(tagEnd + 1, line.length)),
  }
}
