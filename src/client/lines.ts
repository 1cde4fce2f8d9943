const NEWLINE = 0x0a

/** Cuts a stream of bytes into lines. A line that spans chunks is joined once, when its end has come. */
export class LineSplitter {
  #open: Buffer[] = []

  /** The lines that `chunk` completes, without their newline; empty ones are left out. */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      if (end === -1) break
      const line = this.#finish(chunk, start, end)
      if (line) lines.push(line)
      start = end + 1
    }
    if (start < chunk.length) this.#open.push(start === 0 ? chunk : chunk.subarray(start))
    return lines
  }

  #finish(chunk: Buffer, start: number, end: number): string {
    if (this.#open.length === 0) return chunk.toString('utf8', start, end)
    const line = Buffer.concat([...this.#open, chunk.subarray(start, end)]).toString('utf8')
    this.#open = []
    return line
  }
}
