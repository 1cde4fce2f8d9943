/**
 * The store against its limits, in one run: durable creates per second with 64 writers, beside the same bytes put into a
 * bare LMDB with one flush for every 64 and with one flush each; LIST of 10,000 entries; delivery to watchers.
 * Run: node bench/store.ts
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { silentLogger, systemClock } from '../src/base/index.ts'
import { openLmdb, type Store } from '../src/store/index.ts'

const WRITERS = 64
const SECONDS = 3
const value = Buffer.alloc(2048, 'x')
const key = (index: number) => `/registry/pods/default/pod-${String(index).padStart(8, '0')}`

const directory = mkdtempSync(join(tmpdir(), 'k8ts-bench-store-'))
try {
  await run()
} finally {
  rmSync(directory, { recursive: true })
}

async function run() {
  report('bare fsync of 2 KB appended', bareFsync(), '/s')
  const bare = await bareLmdb()
  report(`bare LMDB, ${WRITERS} puts a flush`, bare, '/s')
  const store = await openLmdb({ path: join(directory, 'store'), clock: systemClock, log: silentLogger })
  const creates = await createsPerSecond(store)
  report(`store, ${WRITERS} writers, each create durable`, creates, '/s', creates / bare)
  report('store, 64 writers, updates', await updatesPerSecond(store), '/s')
  await delivery(store)
  await store.close()
  await list(join(directory, 'list'))
}

function report(name: string, figure: number, unit: string, ratio?: number) {
  const shown = figure >= 100 ? Math.round(figure).toLocaleString('en') : figure.toFixed(2)
  console.log(
    `${name.padEnd(48)} ${shown.padStart(10)} ${unit}${ratio === undefined ? '' : `   (${ratio.toFixed(2)} of the limit)`}`,
  )
}

function bareFsync(): number {
  const file = openSync(join(directory, 'fsync'), 'w')
  const start = performance.now()
  let count = 0
  for (; performance.now() - start < 1000; count++) {
    writeSync(file, value)
    fsyncSync(file)
  }
  closeSync(file)
  return count / ((performance.now() - start) / 1000)
}

async function bareLmdb(): Promise<number> {
  const root = open<Buffer, Buffer>({
    path: join(directory, 'bare'),
    overlappingSync: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  })
  let count = 0
  const start = performance.now()
  while (performance.now() - start < SECONDS * 1000) {
    await root.batch(() => {
      for (let index = 0; index < WRITERS; index++) root.put(Buffer.from(key(count++)), value)
    })
  }
  const rate = count / ((performance.now() - start) / 1000)
  await root.close()
  return rate
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  let count = 0
  const start = performance.now()
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (performance.now() - start < SECONDS * 1000) {
        await work()
        count++
      }
    }),
  )
  return count / ((performance.now() - start) / 1000)
}

function createsPerSecond(store: Store): Promise<number> {
  let next = 0
  return perSecond(() => store.create(key(next++), value))
}

async function updatesPerSecond(store: Store): Promise<number> {
  const idle = await Promise.all(
    Array.from({ length: WRITERS }, (_, index) => store.create(`/registry/leases/node-${index}`, value)),
  )
  return perSecond(async () => {
    const entry = idle.pop()!
    idle.push(await store.update(entry.key, value, entry.modRevision))
  })
}

async function list(path: string) {
  const options = { path, clock: systemClock, log: silentLogger }
  const first = await openLmdb(options)
  for (let index = 0; index < 10_000; index += 1000)
    await Promise.all(Array.from({ length: 1000 }, (_, more) => first.create(key(index + more), value)))
  await first.close()
  const start = performance.now()
  const store = await openLmdb(options)
  report('open a store of 10,000 keys', performance.now() - start, 'ms')
  const times: number[] = []
  for (let round = 0; round < 20; round++) {
    const start = performance.now()
    const { entries } = await store.list('/registry/pods/')
    times.push(performance.now() - start)
    if (entries.length !== 10_000) throw new Error(`listed ${entries.length}`)
  }
  report('LIST of 10,000 x 2 KB, from the disk', times[0]!, 'ms')
  report('LIST of 10,000 x 2 KB, median', times.sort((a, b) => a - b)[10]!, 'ms')
  await store.close()
}

async function delivery(store: Store) {
  const watchers = 100
  const wanted = watchers * 10_000
  let seen = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  for (let index = 0; index < watchers; index++)
    store.watch('/registry/events/', await store.revision(), {
      changes(changes) {
        seen += changes.length
        if (seen === wanted) resolve()
      },
      failed() {},
    })
  const start = performance.now()
  for (let index = 0; index < 10_000; index += 1000)
    await Promise.all(
      Array.from({ length: 1000 }, (_, more) => store.create(`/registry/events/${index + more}`, value)),
    )
  await promise
  report(
    `delivery to ${watchers} watchers, writes included`,
    wanted / ((performance.now() - start) / 1000),
    'changes/s',
  )
}
