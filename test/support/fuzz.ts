import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Random, seededRandom } from '../../src/base/index.ts'

/** Seconds for each target, and where its chance begins: `FUZZ_SECONDS=600 FUZZ_SEED=$RANDOM node --test test/fuzz/`. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 1)
const SEED = Number(process.env.FUZZ_SEED ?? 1)

/** Throws when the target does with an input what it must not. */
export type Check = (input: Buffer) => void | Promise<void>

const CORPUS = new URL('../corpus/', import.meta.url)

/** The inputs that a target begins with, and those that once were too much for it; by the names of their files. */
export function corpus(target: string): Map<string, Buffer> {
  const folder = new URL(`${target}/`, CORPUS)
  const names = readdirSync(folder).sort()
  return new Map(names.map(name => [name, readFileSync(new URL(name, folder))]))
}

/**
 * A test that gives a target everything in its corpus, and then whatever random damage makes of that, for a bounded time. An
 * input that fails is added to the corpus, to be tried first from then on.
 */
export function fuzz(target: string, check: Check): void {
  test(`fuzz ${target}`, async () => {
    const seeds = corpus(target)
    for (const [name, input] of seeds) await tried(check, input, `test/corpus/${target}/${name}`)
    const inputs = [...seeds.values()]
    const random = seededRandom(SEED)
    // A frozen clock would never end it.
    const end = performance.now() + SECONDS * 1000
    for (let runs = 0; performance.now() < end; runs++) {
      const input = damaged(inputs, random)
      try {
        await check(input)
      } catch (error) {
        const file = `found-${createHash('sha1').update(input).digest('hex').slice(0, 12)}`
        writeFileSync(new URL(`${target}/${file}`, CORPUS), input)
        throw new Error(`run ${runs} of seed ${SEED}, kept as test/corpus/${target}/${file}`, { cause: error })
      }
    }
  })
}

async function tried(check: Check, input: Buffer, name: string): Promise<void> {
  try {
    await check(input)
  } catch (error) {
    throw new Error(name, { cause: error })
  }
}

/** What has broken many a parser. */
const PIECES = [
  ...['{', '}', '[', ']', '"', ':', ',', '\\', '\0', '\ufeff', '\r\n', '---\n', '- ', '&a ', '*a', '!!binary '],
  ...['null', 'true', '-0', '1e400', '9223372036854775808', '0.1e-400', '\\ud800', '"__proto__"', '"constructor"'],
  ...['$patch', '$retainKeys', '$setElementOrder/containers', '$deleteFromPrimitiveList/finalizers', '/-', '~1', '~0'],
].map(text => Buffer.from(text))
const BYTES = [
  Buffer.from([0xff]),
  Buffer.from([0x80]),
  Buffer.from([0xc0, 0x80]),
  Buffer.alloc(10, 0xff),
  Buffer.alloc(3000, 0x5b),
]

/** A few changes to one of the inputs. */
function damaged(inputs: Buffer[], random: Random): Buffer {
  const below = (bound: number) => Math.floor(random.next() * bound)
  const pick = <T>(from: T[]): T => from[below(from.length)]!
  let bytes = pick(inputs)
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(bytes.length + 1)
    const length = below(Math.min(bytes.length - at, 64) + 1)
    const other = pick(inputs)
    const from = below(other.length + 1)
    const between = pick([
      () => Buffer.alloc(0),
      () => Buffer.from([below(256)]),
      () => pick(PIECES),
      () => pick(BYTES),
      () => Buffer.concat([bytes.subarray(at, at + length), bytes.subarray(at, at + length)]),
      () => other.subarray(from, from + below(64)),
    ])()
    bytes = Buffer.concat([bytes.subarray(0, at), between, bytes.subarray(at + (random.next() < 0.5 ? length : 0))])
  }
  return bytes
}
