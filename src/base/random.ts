import { randomBytes, randomUUID } from 'node:crypto'

/** The only source of chance and of identifiers for a component. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** A version 4 UUID, lower case. */
  uuid(): string
  /** `length` characters of the alphabet that Kubernetes uses for generated names (no vowels, no 0, 1, 3). */
  suffix(length: number): string
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

const suffixFrom = (next: () => number, length: number) =>
  Array.from({ length }, () => ALPHABET[Math.floor(next() * ALPHABET.length)]).join('')

export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  uuid: () => randomUUID(),
  suffix: length => suffixFrom(Math.random, length),
}

/** The same sequence for the same seed (mulberry32); not for anything secret. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const hex = (length: number) => Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join('')
  return {
    next,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[Math.floor(next() * 4)]}${hex(3)}-${hex(12)}`,
    suffix: length => suffixFrom(next, length),
  }
}
