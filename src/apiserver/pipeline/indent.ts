const [QUOTE, BACKSLASH, COMMA, COLON, SPACE, NEWLINE] = bytesOf('"\\,: \n')
const [OBJECT, LIST, OBJECT_END, LIST_END] = bytesOf('{[}]')

/** Typed as a tuple of as many as anybody takes. */
function bytesOf(text: string): [number, number, number, number, number, number] {
  return [...Buffer.from(text)] as ReturnType<typeof bytesOf>
}

/**
 * JSON on many lines, as Go indents it; empty objects and lists stay on one. It goes by the bytes, so that numbers stay as
 * they are and keys in their order, and large answers take no more than a moment.
 */
export function indented(json: Uint8Array): Buffer {
  const out = new Lines(json.length * 2)
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!
    if (byte === QUOTE) {
      const end = endOfString(json, at)
      out.copy(json, at, end)
      at = end - 1
    } else if ((byte === OBJECT || byte === LIST) && !isEnd(json[at + 1])) out.open(byte)
    else if (isEnd(byte) && !isEmpty(json, at)) out.close(byte)
    else if (byte !== NEWLINE) out.put(byte)
    if (byte === COMMA) out.line()
    if (byte === COLON) out.put(SPACE)
  }
  return out.finish()
}

const isEnd = (byte: number | undefined) => byte === OBJECT_END || byte === LIST_END

/** Whether what ends here has just begun. */
const isEmpty = (json: Uint8Array, end: number) => json[end - 1] === OBJECT || json[end - 1] === LIST

function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1
  while (json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at + 1
}

class Lines {
  #bytes: Buffer
  #length = 0
  #depth = 0

  /** `capacity` is a guess at the bytes to come. */
  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  put(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  open(byte: number): void {
    this.put(byte)
    this.#depth++
    this.line()
  }

  close(byte: number): void {
    this.#depth--
    this.line()
    this.put(byte)
  }

  line(): void {
    this.put(NEWLINE)
    for (let spaces = this.#depth * 2; spaces > 0; spaces--) this.put(SPACE)
  }

  copy(from: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    for (let at = start; at < end; at++) this.#bytes[this.#length++] = from[at]!
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], needed * 2)
  }
}
