import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { seededRandom, silentLogger, VirtualClock } from '../../base/index.ts'
import { storeConformance } from '../conformance.ts'
import { Compacted, type Entry, type Page, type Store } from '../store.ts'
import { openLmdb } from './index.ts'

const prepare = async (cacheSize?: number) => {
  const path = await mkdtemp(join(tmpdir(), 'k8ts-store-'))
  const clock = new VirtualClock()
  return {
    open: () => openLmdb({ path, clock, log: silentLogger, cacheSize }),
    pass: (seconds: number) => clock.advance(seconds * 1000),
    dispose: () => rm(path, { recursive: true }),
  }
}

storeConformance('lmdb', () => prepare())
storeConformance('lmdb without a cache', () => prepare(0))

/** Runs with a directory of its own, and the options that a store of this process opens it with. */
async function within(
  run: (options: { path: string; clock: VirtualClock; log: typeof silentLogger }) => Promise<void>,
) {
  const path = await mkdtemp(join(tmpdir(), 'k8ts-store-'))
  try {
    await run({ path, clock: new VirtualClock(), log: silentLogger })
  } finally {
    await rm(path, { recursive: true })
  }
}

describe('lmdb: crashes', () => {
  it('every acknowledged write survives kill -9', { timeout: 60_000 }, () =>
    within(async options => {
      const random = seededRandom(1)
      const held = new Map<string, string>()
      let newest = 0
      for (let round = 0; round < 6; round++) {
        for (const [key, what] of await writeUntilKilled(
          options.path,
          `/r${round}`,
          200 + Math.floor(random.next() * 2000),
        ))
          held.set(key, what)
        const store = await openLmdb({ ...options, clock: new VirtualClock(), history: 3_600_000 })
        newest = await verify(store, held, newest)
        await store.close()
      }
    }),
  )

  it('a second process is kept out', { timeout: 30_000, skip: process.platform !== 'linux' }, () =>
    within(async options => {
      const store = await openLmdb(options)
      await assert.rejects(openLmdb(options), /in use by another process/)
      await store.close()
      await (await openLmdb(options)).close()
    }),
  )
})

/** What a process acknowledged before it was killed, after that many lines. */
async function writeUntilKilled(path: string, prefix: string, lines: number): Promise<[key: string, what: string][]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-child.ts'), path, prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise(resolve => child.on('exit', resolve))
  const acknowledged: [string, string][] = []
  for await (const line of createInterface(child.stdout)) {
    const [key, what] = line.split(' ')
    // The last line may have been cut off.
    if (key && what) acknowledged.push([key, what])
    if (acknowledged.length === lines) child.kill('SIGKILL')
  }
  await exited
  assert.ok(acknowledged.length >= lines, 'the child died by itself')
  return acknowledged
}

/** Each key is at least as new as acknowledged, and the history has no hole. Returns the newest revision. */
async function verify(store: Store, held: Map<string, string>, before: number): Promise<number> {
  const newest = await store.revision()
  assert.ok(newest > before)
  for (const [key, what] of held) {
    const entry = await store.get(key)
    // What followed the acknowledged write may have reached the disk as well.
    if (what === 'gone') assert.equal(entry, undefined, key)
    else if (entry) assert.ok(entry.modRevision >= Number(what), key)
    else assert.ok(Number(key.split('/').at(-1)) % 3 === 0, `${key} is lost`)
  }
  let expected = await store.compactedRevision()
  await new Promise<void>((resolve, reject) => {
    store.watch('/', 0, {
      changes(changes) {
        for (const { revision, entry } of changes) {
          if (revision !== ++expected) reject(new Error(`revision ${revision} follows ${expected - 1}`))
          if (entry && entry.createRevision !== entry.modRevision) assert.equal(entry.value.toString(), entry.key)
        }
        if (expected === newest) resolve()
      },
      failed: reject,
    })
    if (expected === newest) resolve()
  })
  return newest
}

describe('lmdb: compaction by itself', () => {
  it('keeps history for its time and no longer', { timeout: 30_000 }, () =>
    within(async options => {
      const store = await openLmdb(options)
      const first = await store.create('/a', Buffer.from('1'))
      await options.clock.advance(60_000)
      const second = await store.update('/a', Buffer.from('2'), first.modRevision)
      await options.clock.advance(4 * 60_000 - 1000)
      assert.ok(await store.get('/a', { revision: first.modRevision }))
      await options.clock.advance(3 * 60_000)
      await until(async () => (await store.compactedRevision()) >= second.modRevision)
      await assert.rejects(store.get('/a', { revision: first.modRevision }), Compacted)
      assert.equal((await store.get('/a'))?.modRevision, second.modRevision)
      await store.close()
    }),
  )

  it('bounds history by its length as well', { timeout: 30_000 }, () =>
    within(async options => {
      const store = await openLmdb({ ...options, historyRevisions: 100 })
      for (let index = 0; index < 10; index++)
        await Promise.all(
          Array.from({ length: 100 }, (_, more) => store.create(`/${index * 100 + more}`, Buffer.from('x'))),
        )
      await options.clock.advance(31_000)
      const newest = await store.revision()
      await until(async () => (await store.compactedRevision()) === newest - 100)
      assert.equal(await store.count('/'), 1000)
      await store.close()
    }),
  )

  it('Leases that are renewed for ever do not grow the file', { timeout: 60_000 }, () =>
    within(async options => {
      const store = await openLmdb({ ...options, history: 30_000 })
      const leases = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.create(`/leases/${index}`, Buffer.alloc(1000))),
      )
      const renew = async (lease: Entry, index: number) => {
        leases[index] = await store.update(lease.key, Buffer.alloc(1000), lease.modRevision)
      }
      const sizes: number[] = []
      let former = await store.revision()
      for (let minute = 0; minute < 10; minute++) {
        const present = await store.revision()
        // While the minute before the last is forgotten, the renewals of this one are written.
        await options.clock.advance(60_000)
        for (let round = 0; round < 100; round++) await Promise.all(leases.map(renew))
        const forgotten = former
        await until(async () => (await store.compactedRevision()) >= forgotten)
        former = present
        sizes.push((await stat(join(options.path, 'data.mdb'))).size)
      }
      assert.ok(sizes[9]! <= sizes[3]! * 1.25, `the file grows: ${sizes}`)
      assert.equal(await store.count('/'), 20)
      await store.close()
    }),
  )
})

describe('lmdb: much at once', () => {
  const fill = async (store: Store, count: number) => {
    const keys = Array.from({ length: count }, (_, index) => `/long/${String(index).padStart(3, '0')}`)
    for (const key of keys) await store.create(key, Buffer.from(`value of ${key}`.padEnd(1000)))
    return keys
  }
  const check = ({ entries }: Page) => {
    for (const { key, value } of entries) assert.equal(Buffer.from(value).toString().trimEnd(), `value of ${key}`)
  }

  it('ends a page by its bytes, and puts it into the memory that is given', () =>
    within(async options => {
      const store = await openLmdb({ ...options, cacheSize: 20_000 })
      const keys = await fill(store, 100)
      const into = Buffer.alloc(4500)
      const seen: string[] = []
      let page: Page | undefined
      do {
        page = await store.list('/long/', { after: page?.entries.at(-1)?.key, bytes: 4500, into, uncounted: true })
        check(page)
        assert.ok(page.entries.length <= 5)
        seen.push(...page.entries.map(({ key }) => key))
      } while (page.remaining > 0)
      assert.deepEqual(seen, keys)
      assert.match(into.toString(), /^value of/)
      // What is kept lies elsewhere.
      into.fill(0)
      check(await store.list('/long/'))
      await store.close()
    }))

  it('keeps what is read and not what is only written or listed among many', () =>
    within(async options => {
      const store = await openLmdb({ ...options, cacheSize: 20_000 })
      await fill(store, 100)
      const hot = await store.get('/long/050')
      for (let round = 0; round < 3; round++) check(await store.list('/long/'))
      assert.equal(await store.get('/long/050'), hot)
      const read = await store.get('/long/099')
      assert.equal(await store.get('/long/099'), read)
      const updated = await store.update('/long/050', Buffer.from('value of /long/050'), hot!.modRevision)
      assert.equal(await store.get('/long/050'), updated)
      await store.close()
    }))

  it('tells the past no faster than it is taken', () =>
    within(async options => {
      const store = await openLmdb(options)
      await fill(store, 600)
      const told: number[] = []
      const { promise, resolve } = Promise.withResolvers<void>()
      const watcher = store.watch('/long/', 0, {
        changes: changes => void told.push(changes.length),
        drained: () => promise,
        failed: assert.fail,
      })
      await until(async () => told.length > 0)
      for (let turn = 0; turn < 20; turn++) await new Promise(next => setImmediate(next))
      assert.deepEqual(told, [500])
      resolve()
      await until(async () => told.length > 1)
      assert.deepEqual(told, [500, 100])
      watcher.close()
      await store.close()
    }))
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setImmediate(resolve))
}
