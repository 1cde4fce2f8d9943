/**
 * The store alone: durable creates and updates with 64 writers against the same bytes put into a bare LMDB, which flushes
 * once for every 64; LIST of 10,000 entries against a bare LMDB's range; delivery to 100 watchers.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { silentLogger, systemClock } from '../src/base/index.ts'
import { openLmdb, type Store } from '../src/store/index.ts'
import { against, type Figure, median } from './support/figures.ts'
import { main } from './support/main.ts'

const WRITERS = 64
const ROUNDS = 9
/** Milliseconds of writing. */
const ROUND = 500
const ENTRIES = 10_000
const WATCHERS = 100
const CHANGES = 2_000
const value = Buffer.alloc(2048, 'x')
const keyOf = (index: number) => `/registry/pods/default/pod-${String(index).padStart(8, '0')}`

type Bare = RootDatabase<Buffer, string>

async function measure(stack: AsyncDisposableStack): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'k8ts-bench-store-'))
  stack.defer(() => rmSync(directory, { recursive: true }))
  const store = await openLmdb({ path: join(directory, 'store'), clock: systemClock, log: silentLogger })
  stack.defer(() => store.close())
  const bare: Bare = open({ path: join(directory, 'bare'), overlappingSync: false, encoding: 'binary' })
  stack.defer(() => bare.close())
  return [...(await measureWrites(store, bare)), await measureList(store, bare), await measureDelivery(store)]
}

async function measureWrites(store: Store, bare: Bare): Promise<Figure[]> {
  let next = 0
  const leases = await Promise.all(
    Array.from({ length: WRITERS }, (_, index) => store.create(`/registry/leases/node-${index}`, value)),
  )
  const limits: number[] = []
  const creates: number[] = []
  const updates: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    limits.push(await perSecond(() => bare.put(keyOf(next++), value)))
    creates.push(await perSecond(() => store.create(keyOf(next++), value)))
    const update = async () => {
      const { key, modRevision } = leases.pop()!
      leases.push(await store.update(key, value, modRevision))
    }
    updates.push(await perSecond(update))
  }
  const limit = 'put into LMDB'
  return [
    { name: `store: create, ${WRITERS} writers, durable`, unit: '/s', ...against(limit, creates, limits) },
    { name: `store: update, ${WRITERS} writers, durable`, unit: '/s', ...against(limit, updates, limits) },
  ]
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  let count = 0
  const began = performance.now()
  const write = async () => {
    while (performance.now() - began < ROUND) {
      await work()
      count++
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, write))
  return (count * 1000) / (performance.now() - began)
}

async function measureList(store: Store, bare: Bare): Promise<Figure> {
  const prefix = '/registry/services/specs/'
  for (let first = 0; first < ENTRIES; first += 1000) {
    const keys = Array.from({ length: 1000 }, (_, index) => `${prefix}${first + index}`)
    await Promise.all(keys.flatMap<Promise<unknown>>(key => [store.create(key, value), bare.put(key, value)]))
  }
  const times: number[] = []
  const limits: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    limits.push(await timed(async () => [...bare.getRange({ start: prefix, end: `${prefix}~` })].length))
    times.push(await timed(async () => (await store.list(prefix)).entries.length))
  }
  return { name: 'store: LIST of 10,000 x 2 KB', unit: 'ms', ...against("LMDB's range", times, limits) }
}

async function timed(list: () => Promise<number>): Promise<number> {
  const began = performance.now()
  const count = await list()
  if (count !== ENTRIES) throw new Error(`listed ${count} of ${ENTRIES}`)
  return performance.now() - began
}

async function measureDelivery(store: Store): Promise<Figure> {
  const rates: number[] = []
  for (let round = 0; round < ROUNDS; round++) rates.push(await deliver(store, `/registry/events/${round}/`))
  return { name: `store: delivery to ${WATCHERS} watchers, writes included`, unit: '/s', value: median(rates) }
}

async function deliver(store: Store, prefix: string): Promise<number> {
  let missing = WATCHERS * CHANGES
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const revision = await store.revision()
  const watches = Array.from({ length: WATCHERS }, () =>
    store.watch(prefix, revision, {
      changes(changes) {
        missing -= changes.length
        if (missing === 0) resolve()
      },
      failed: reject,
    }),
  )
  const began = performance.now()
  await Promise.all(Array.from({ length: CHANGES }, (_, index) => store.create(prefix + index, value)))
  await promise
  const took = performance.now() - began
  for (const watch of watches) watch.close()
  return (WATCHERS * CHANGES * 1000) / took
}

if (import.meta.main) await main(measure)
