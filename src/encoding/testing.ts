import { model, type ValueModel } from '../api/index.ts'
import type { Random } from '../base/index.ts'

/** A random value of a struct of the model, as a client might send it. */
export function randomObject(type: string, random: Random, depth = 4): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const field of model.type(type).fields) {
    if (field.name === 'resourceVersion') continue
    if (random.next() < (depth > 0 ? 0.35 : 0.8)) continue
    object[field.name] = random.next() < 0.05 ? null : randomValue(field, random, depth - 1)
  }
  return object
}

const pick = <T>(from: T[], random: Random): T => from[Math.floor(random.next() * from.length)]!

const STRINGS = ['', 'a', 'web', 'line\nbreak', '"quoted" \\', 'ü€😀', 'a:b', '</script>', '\u2028', '\ud800']
const RAW = [{ b: 1, a: [null, { c: null }] }, 'text', 7, true, [1, 'x'], {}]

function randomValue(value: ValueModel, random: Random, depth: number): unknown {
  switch (value.kind) {
    case 'struct':
      return depth < -2 ? {} : randomObject(value.type, random, depth)
    case 'list':
      return Array.from({ length: Math.floor(random.next() * 3) }, () => randomValue(value.items!, random, depth - 1))
    case 'map':
      return Object.fromEntries(
        pick([[], ['b', 'a'], ['10', '9', 'x'], ['__proto__', 'constructor', '"']], random).map(key => [
          key,
          randomValue(value.items!, random, depth - 1),
        ]),
      )
    case 'union':
      return randomValue(pick(value.choices!, random), random, depth)
    case 'string':
      return pick(value.enum ?? STRINGS, random)
    case 'bool':
      return random.next() < 0.5
    case 'int32':
      return pick([0, 1, -1, 80, 2147483647, -2147483648], random)
    case 'int64':
      return pick([0, 1, -30, 4294967296, Number.MAX_SAFE_INTEGER], random)
    case 'float64':
      return pick([0, 0.5, -1e21, 1e-7], random)
    case 'bytes':
      return Buffer.from(pick(STRINGS, random)).toString('base64')
    case 'time':
      return pick(['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.5+02:00'], random)
    case 'microTime':
      return pick(['2026-01-02T03:04:05.000001Z', '2026-01-02T03:04:05Z'], random)
    case 'duration':
      return pick(['1m30s', '0s'], random)
    case 'quantity':
      return pick(['0', '1', '0.5', '1024Mi', '1e3', '1.500', 2, 0.1], random)
    case 'intOrString':
      return pick([0, 8080, 'http', '25%', ''], random)
    case 'raw':
      return pick(RAW, random)
  }
}
