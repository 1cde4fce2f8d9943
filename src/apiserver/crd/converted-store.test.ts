import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { silentLogger, systemClock } from '../../base/index.ts'
import { type Change, openLmdb, type Store } from '../../store/index.ts'
import { ConvertedStore } from './converted-store.ts'

const bytes = (text: string) => Buffer.from(text)
const textOf = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()

describe('ConvertedStore', () => {
  let path: string
  let store: Store
  /** Resolves the conversions that are under way, one by one. */
  let conversions: (() => void)[]
  let loads: number

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'k8ts-converted-'))
    store = await openLmdb({ path, clock: systemClock, log: silentLogger })
    conversions = []
    loads = 0
  })
  afterEach(async () => {
    await store.close()
    await rm(path, { recursive: true, force: true })
  })

  /** What is kept as `old:x` is shown as `new:x`, and kept anew as `old:x` or otherwise. */
  const converted = (waits = false, kept = 'old:') =>
    new ConvertedStore(store, {
      differs: ({ value }) => textOf(value)!.startsWith('old:'),
      load(entries) {
        loads++
        const values = entries.map(({ value }) => bytes(textOf(value)!.replace('old:', 'new:')))
        return waits ? new Promise(resolve => conversions.push(() => resolve(values))) : values
      },
      save: value => bytes(textOf(value)!.replace('new:', kept)),
    })

  it('converts on the way in and out, each value once', async () => {
    const view = converted()
    const made = await view.create('/a', bytes('new:1'))
    assert.equal(textOf(made.value), 'new:1')
    assert.equal(textOf((await store.get('/a'))!.value), 'old:1')
    const [first] = (await view.list('/')).entries
    assert.equal(textOf(first!.value), 'new:1')
    await view.update('/a', bytes('new:2'), made.modRevision)
    await assert.rejects(
      view.update('/a', bytes('new:3'), made.modRevision),
      (error: { current?: { value: Buffer } }) => {
        assert.equal(textOf(error.current?.value), 'new:2')
        return true
      },
    )
  })

  it('knows what would be kept in another way', async () => {
    await store.create('/a', bytes('old:1'))
    await store.create('/b', bytes('plain'))
    const stale = (view: ConvertedStore) =>
      Promise.all(['/a', '/b'].map(async key => view.isStale((await view.get(key))!)))
    assert.deepEqual(await stale(converted()), [false, false])
    assert.deepEqual(await stale(converted(false, 'new:')), [true, false])
  })

  it('tells all watchers the same change, and converts it once', async () => {
    const view = converted()
    const seen: Change[] = []
    const watchers = [1, 2].map(() =>
      view.watch('/', 0, { changes: changes => void seen.push(...changes), failed: assert.ifError }),
    )
    await view.create('/a', bytes('new:1'))
    while (seen.length < 2) await new Promise(setImmediate)
    assert.equal(seen[0], seen[1])
    assert.equal(loads, 1)
    for (const watcher of watchers) watcher.close()
  })

  it('keeps the order of changes when a conversion takes its time', async () => {
    const view = converted(true)
    const seen: (string | undefined)[] = []
    const watcher = view.watch('/', 0, {
      changes: changes => void seen.push(...changes.map(({ entry }) => textOf(entry?.value))),
      failed: assert.ifError,
    })
    await store.create('/a', bytes('old:1'))
    await store.create('/b', bytes('plain'))
    while (conversions.length === 0) await new Promise(setImmediate)
    assert.deepEqual(seen, [])
    conversions[0]!()
    while (seen.length < 2) await new Promise(setImmediate)
    assert.deepEqual(seen, ['new:1', 'plain'])
    watcher.close()
  })
})
