/**
 * A process of lmdb.test.ts that writes until it is killed: to the store at its first argument, under the prefix that is
 * its second. It says on standard output what has been acknowledged: `KEY REVISION`, or `KEY gone`.
 */
import { writeSync } from 'node:fs'
import { silentLogger, systemClock } from '../../base/index.ts'
import { openLmdb } from './index.ts'

const [path = '', prefix = ''] = process.argv.slice(2)
const store = await openLmdb({ path, clock: systemClock, log: silentLogger, history: 50 })
const acknowledge = (key: string, what: string | number) => writeSync(1, `${key} ${what}\n`)

/** Creates, updates and deletes, and always deletes every third key. */
async function write(writer: number): Promise<never> {
  for (let round = 0; ; round++) {
    const key = `${prefix}/${writer}/${round}`
    const created = await store.create(key, Buffer.alloc(100 + ((round * 37) % 5000), 'v'))
    acknowledge(key, created.modRevision)
    const updated = await store.update(key, Buffer.from(key), created.modRevision)
    acknowledge(key, updated.modRevision)
    if (round % 3 !== 0) continue
    await store.delete(key, updated.modRevision)
    acknowledge(key, 'gone')
  }
}

await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)))
