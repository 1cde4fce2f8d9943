import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../base/index.ts'
import {
  type Change,
  Compacted,
  type Entry,
  FutureRevision,
  KeyExists,
  RevisionMismatch,
  type Store,
  StoreClosed,
} from './store.ts'

/** One empty store, which can be closed and opened again. */
export interface StoreUnderTest {
  /** Finds what an earlier store of this test, closed by now, has left. */
  open(): Promise<Store>
  /** Lets time pass for the store: really, or on its virtual clock. */
  pass(seconds: number): Promise<void>
  /** Removes everything. Stores are closed by then. */
  dispose(): Promise<void>
}

/** What every store promises, as tests. Test-only. */
export function storeConformance(name: string, prepare: () => Promise<StoreUnderTest>): void {
  const test = (title: string, run: (store: Store, underTest: StoreUnderTest) => Promise<void>) =>
    it(title, { timeout: 30_000 }, async () => {
      const underTest = await prepare()
      const opened: Store[] = []
      const open = async () => {
        const store = await underTest.open()
        opened.push(store)
        return store
      }
      try {
        await run(await open(), { ...underTest, open })
      } finally {
        for (const store of opened) await store.close()
        await underTest.dispose()
      }
    })

  describe(`${name}: writes`, () => {
    test('a fresh store is empty at a revision that can be read and watched from', async store => {
      const revision = await store.revision()
      assert.ok(revision > 0)
      assert.deepEqual(await store.list('/'), { entries: [], revision, remaining: 0 })
      assert.deepEqual(await store.list('/', { revision }), { entries: [], revision, remaining: 0 })
      assert.equal(await store.get('/a'), undefined)
      assert.equal(await store.count('/'), 0)
    })

    test('every write takes the next revision', async store => {
      const start = await store.revision()
      const created = await store.create('/a', bytes('1'))
      assert.deepEqual(shape(created), { key: '/a', value: '1', createRevision: start + 1, modRevision: start + 1 })
      const updated = await store.update('/a', bytes('2'), created.modRevision)
      assert.deepEqual(shape(updated), { key: '/a', value: '2', createRevision: start + 1, modRevision: start + 2 })
      const deleted = await store.delete('/a', updated.modRevision)
      assert.deepEqual(shape(deleted.entry), shape(updated))
      assert.equal(deleted.revision, start + 3)
      const again = await store.create('/a', bytes('3'))
      assert.deepEqual(shape(again), { key: '/a', value: '3', createRevision: start + 4, modRevision: start + 4 })
      assert.equal(await store.revision(), start + 4)
    })

    test('create refuses a key that exists, and takes no revision', async store => {
      const { modRevision } = await store.create('/a', bytes('1'))
      await assert.rejects(store.create('/a', bytes('2')), KeyExists)
      assert.equal(text(await store.get('/a')), '1')
      assert.equal(await store.revision(), modRevision)
    })

    test('update and delete refuse another revision than expected, and tell the present entry', async store => {
      const first = await store.create('/a', bytes('1'))
      const second = await store.update('/a', bytes('2'), first.modRevision)
      const mismatch = (error: unknown) => {
        assert.ok(error instanceof RevisionMismatch)
        assert.deepEqual(shape(error.current), shape(second))
        return true
      }
      await assert.rejects(store.update('/a', bytes('3'), first.modRevision), mismatch)
      await assert.rejects(store.delete('/a', first.modRevision), mismatch)
      const missing = (error: unknown) => error instanceof RevisionMismatch && error.current === undefined
      await assert.rejects(store.update('/b', bytes('3'), first.modRevision), missing)
      await assert.rejects(store.delete('/b', first.modRevision), missing)
      assert.equal(await store.revision(), second.modRevision)
    })

    test('of many that create one key at once, one succeeds', async store => {
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, index) => store.create('/a', bytes(`${index}`))),
      )
      const won = results.filter(result => result.status === 'fulfilled')
      assert.equal(won.length, 1)
      for (const result of results) if (result.status === 'rejected') assert.ok(result.reason instanceof KeyExists)
      assert.deepEqual(shape(await store.get('/a')), shape(won[0]!.value))
    })

    test('writes that overlap are decided one after another', async store => {
      const { modRevision } = await store.create('/a', bytes('0'))
      const deleting = store.delete('/a', modRevision)
      const stale = assert.rejects(store.update('/a', bytes('1'), modRevision), RevisionMismatch)
      const creating = store.create('/a', bytes('2'))
      const twice = assert.rejects(store.create('/a', bytes('3')), KeyExists)
      await Promise.all([deleting, stale, creating, twice])
      assert.equal((await deleting).revision, modRevision + 1)
      assert.equal((await creating).createRevision, modRevision + 2)
      assert.equal(text(await store.get('/a')), '2')
    })

    test('counting by compare-and-set loses nothing', async store => {
      await store.create('/count', bytes('0'))
      const add = async (): Promise<number> => {
        for (;;) {
          const held = (await store.get('/count'))!
          try {
            return (await store.update('/count', bytes(`${Number(text(held)) + 1}`), held.modRevision)).modRevision
          } catch (error) {
            if (!(error instanceof RevisionMismatch)) throw error
          }
        }
      }
      const revisions = await Promise.all(Array.from({ length: 40 }, add))
      assert.equal(text(await store.get('/count')), '40')
      assert.equal(new Set(revisions).size, 40)
    })

    test('whoever is answered sees what was answered', async store => {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const { modRevision } = await store.create(`/${index}`, bytes('x'))
          assert.equal((await store.get(`/${index}`))?.modRevision, modRevision)
          assert.ok((await store.revision()) >= modRevision)
          await assert.rejects(store.create(`/${index}`, bytes('y')), KeyExists)
        }),
      )
    })

    test('the caller may use its buffer again', async store => {
      const buffer = Buffer.from('before')
      const created = store.create('/a', buffer)
      buffer.write('after!')
      await created
      assert.equal(text(await store.get('/a')), 'before')
    })

    test('values may be empty, large, and of any bytes', async store => {
      const large = Buffer.alloc(1_500_000, 'large')
      const all = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
      await Promise.all([
        store.create('/empty', Buffer.alloc(0)),
        store.create('/large', large),
        store.create('/all', all),
      ])
      assert.equal((await store.get('/empty'))!.value.length, 0)
      assert.ok(large.equals((await store.get('/large'))!.value))
      assert.ok(all.equals((await store.get('/all'))!.value))
    })

    test('a key may be as long as Kubernetes can make it', async store => {
      const key = `/registry/${'g'.repeat(253)}/${'r'.repeat(63)}/${'n'.repeat(63)}/${'o'.repeat(253)}`
      await store.create(key, bytes('x'))
      assert.equal(text((await store.list('/registry/')).entries[0]), 'x')
    })
  })

  describe(`${name}: reads`, () => {
    test('list is ordered by key and ends where the prefix ends', async store => {
      for (const key of ['/pods/b/1', '/pods/a/2', '/podtemplates/a', '/pods/a/1', '/pod', '/pods/a-b/1'])
        await store.create(key, bytes(key))
      assert.deepEqual(keys(await store.list('/pods/')), ['/pods/a-b/1', '/pods/a/1', '/pods/a/2', '/pods/b/1'])
      assert.deepEqual(keys(await store.list('/pods/a/')), ['/pods/a/1', '/pods/a/2'])
      assert.deepEqual(keys(await store.list('/nothing/')), [])
      assert.equal(await store.count('/pods/'), 4)
      assert.equal(await store.count('/'), 6)
    })

    test('pages follow each other and say how much remains', async store => {
      const all = Array.from({ length: 25 }, (_, index) => `/p/${String(index).padStart(2, '0')}`)
      await Promise.all(all.map(key => store.create(key, bytes(key))))
      await store.create('/q', bytes('q'))
      const seen: string[] = []
      const first = await store.list('/p/', { limit: 10 })
      assert.equal(first.remaining, 15)
      // What changes between the pages of one revision does not show.
      await store.delete('/p/15', (await store.get('/p/15'))!.modRevision)
      await store.create('/p/055', bytes('new'))
      for (let page = first; ; ) {
        assert.equal(page.revision, first.revision)
        seen.push(...keys(page))
        if (page.remaining === 0) break
        page = await store.list('/p/', { limit: 10, after: seen.at(-1)!, revision: first.revision })
      }
      assert.deepEqual(seen, all)
      assert.equal((await store.list('/p/', { after: '/p/24' })).entries.length, 0)
    })

    test('the past can be read', async store => {
      const start = await store.revision()
      const one = await store.create('/a', bytes('1'))
      const two = await store.update('/a', bytes('2'), one.modRevision)
      const gone = await store.delete('/a', two.modRevision)
      const three = await store.create('/a', bytes('3'))
      const at = async (revision: number) => text(await store.get('/a', { revision }))
      assert.equal(await at(start), undefined)
      assert.equal(await at(one.modRevision), '1')
      assert.equal(await at(two.modRevision), '2')
      assert.equal(await at(gone.revision), undefined)
      assert.equal(await at(three.modRevision), '3')
      assert.deepEqual(shape(await store.get('/a', { revision: two.modRevision })), shape(two))
      const page = await store.list('/', { revision: two.modRevision })
      assert.deepEqual([page.entries.map(shape), page.revision], [[shape(two)], two.modRevision])
    })

    test('the future cannot', async store => {
      const revision = (await store.revision()) + 1
      await assert.rejects(store.get('/a', { revision }), FutureRevision)
      await assert.rejects(store.list('/', { revision }), FutureRevision)
      await assert.rejects(store.compact(revision), FutureRevision)
    })

    test('what was returned stays as it was', async store => {
      const held: Entry[] = []
      for (let round = 0; round < 20; round++) {
        for (let index = 0; index < 20; index++) {
          const value = Buffer.alloc(3000, `${round}.${index}.`)
          const current = await store.get(`/${index}`)
          if (!current) await store.create(`/${index}`, value)
          else await store.update(`/${index}`, value, current.modRevision)
        }
        held.push(...(await store.list('/')).entries)
        await store.compact(await store.revision())
      }
      held.forEach((entry, position) => {
        const expected = Buffer.alloc(3000, `${Math.floor(position / 20)}.${entry.key.slice(1)}.`)
        assert.ok(expected.equals(entry.value))
      })
    })
  })

  describe(`${name}: watches`, () => {
    test('changes arrive in order, with what was there before', async store => {
      const start = await store.revision()
      const seen = follow(store, '/a/', start)
      const one = await store.create('/a/1', bytes('1'))
      await store.create('/b/1', bytes('other'))
      const two = await store.update('/a/1', bytes('2'), one.modRevision)
      const gone = await store.delete('/a/1', two.modRevision)
      await seen.until(gone.revision)
      assert.deepEqual(seen.changes.map(describeChange), [
        `put /a/1 ${one.modRevision}: 1`,
        `put /a/1 ${two.modRevision}: 2 was 1`,
        `delete /a/1 ${gone.revision} was 2`,
      ])
      assert.deepEqual(shape(seen.changes[1]!.entry), shape(two))
      assert.deepEqual(shape(seen.changes[1]!.previous), shape(one))
    })

    test('the past is replayed from any retained revision', async store => {
      const first = await store.revision()
      const revisions = [first]
      let entry = await store.create('/a', bytes('0'))
      for (let round = 1; round < 10; round++) {
        revisions.push(entry.modRevision)
        entry = await store.update('/a', bytes(`${round}`), entry.modRevision)
      }
      for (const after of revisions) {
        const seen = follow(store, '/', after)
        await seen.until(entry.modRevision)
        assert.deepEqual(
          seen.changes.map(change => change.revision),
          Array.from({ length: entry.modRevision - after }, (_, index) => after + 1 + index),
        )
        const { previous } = seen.changes[0]!
        assert.equal(previous?.modRevision, after === first ? undefined : after)
      }
      const fromFirst = follow(store, '/', 0)
      await fromFirst.until(entry.modRevision)
      assert.equal(fromFirst.changes.length, 10)
    })

    test('all watchers are given the same changes', async store => {
      const start = await store.revision()
      const watchers = [follow(store, '/', start), follow(store, '/', start), follow(store, '/a', start)]
      await store.create('/start', bytes('x'))
      for (const seen of watchers.slice(0, 2)) await seen.until(start + 1)
      const { modRevision } = await store.create('/a', bytes('x'))
      for (const seen of watchers) await seen.until(modRevision)
      const [one, two, three] = watchers.map(seen => seen.changes.at(-1))
      assert.equal(one, two)
      assert.equal(one, three)
    })

    test('joining while others write misses nothing and repeats nothing', async store => {
      const start = await store.revision()
      const followers: Follower[] = []
      let done = false
      const write = async (writer: number) => {
        for (let round = 0; round < 60; round++) await store.create(`/${writer % 2}/${writer}-${round}`, bytes('x'))
      }
      const join = async () => {
        const random = seededRandom(7)
        while (!done) {
          const newest = await store.revision()
          const after = start + Math.floor(random.next() * (newest - start + 1))
          followers.push(follow(store, random.next() < 0.5 ? '/' : '/1/', after))
          await new Promise(resolve => setImmediate(resolve))
        }
      }
      const joining = join()
      await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)))
      done = true
      await joining
      const last = await store.create('/1/last', bytes('x'))
      const all = follow(store, '/', start)
      await all.until(last.modRevision)
      assert.equal(all.changes.length, 8 * 60 + 1)
      for (const seen of followers) {
        await seen.until(last.modRevision)
        const expected = all.changes.filter(({ key, revision }) => key.startsWith(seen.prefix) && revision > seen.after)
        assert.deepEqual(seen.changes.map(describeChange), expected.map(describeChange))
      }
    })

    test('a change is told only when it can be read', async store => {
      const problems: string[] = []
      const reads: Promise<void>[] = []
      const check = async ({ key, revision }: Change) => {
        if ((await store.revision()) < revision) problems.push(`revision ${revision}`)
        if (!(await store.get(key))) problems.push(key)
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      store.watch('/', await store.revision(), {
        changes(changes) {
          for (const change of changes) reads.push(check(change))
          if (reads.length === 100) resolve()
        },
        failed() {},
      })
      await Promise.all(Array.from({ length: 100 }, (_, index) => store.create(`/${index}`, bytes('x'))))
      await promise
      await Promise.all(reads)
      assert.deepEqual(problems, [])
    })

    test('a closed watch is silent, and closes twice', async store => {
      const start = await store.revision()
      const closed = follow(store, '/', start)
      const closing = follow(store, '/', start, () => closing.watcher.close())
      const open = follow(store, '/', start)
      closed.watcher.close()
      closed.watcher.close()
      await store.create('/a', bytes('x'))
      const { modRevision } = await store.create('/b', bytes('x'))
      await open.until(modRevision)
      assert.equal(closed.changes.length, 0)
      assert.ok(closing.changes.every(({ revision }) => revision === start + 1))
    })

    test('a quiet watch learns how far the store has come', async (store, { pass }) => {
      const told: number[] = []
      store.watch('/quiet/', await store.revision(), {
        changes: () => assert.fail('nothing changed there'),
        progress: revision => told.push(revision),
        failed() {},
      })
      const { modRevision } = await store.create('/loud/a', bytes('x'))
      while (told.at(-1) !== modRevision) await pass(1)
      assert.equal(told.at(-1), modRevision)
    })
  })

  describe(`${name}: compaction`, () => {
    test('what was overwritten or deleted is gone, and the present stays', async store => {
      const one = await store.create('/a', bytes('1'))
      const other = await store.create('/b', bytes('gone'))
      const kept = await store.create('/c', bytes('kept'))
      const two = await store.update('/a', bytes('2'), one.modRevision)
      const gone = await store.delete('/b', other.modRevision)
      const three = await store.update('/a', bytes('3'), two.modRevision)
      await store.compact(gone.revision)
      assert.equal(await store.compactedRevision(), gone.revision)
      const compacted = (error: unknown) => error instanceof Compacted && error.oldest === gone.revision
      await assert.rejects(store.get('/a', { revision: two.modRevision }), compacted)
      await assert.rejects(store.list('/', { revision: two.modRevision }), compacted)
      assert.equal(text(await store.get('/a', { revision: gone.revision })), '2')
      assert.deepEqual((await store.list('/', { revision: gone.revision })).entries.map(shape), [
        shape(two),
        shape(kept),
      ])
      assert.deepEqual((await store.list('/')).entries.map(shape), [shape(three), shape(kept)])
      assert.equal(await store.get('/b'), undefined)
      const again = await store.create('/b', bytes('again'))
      await store.compact(await store.revision())
      assert.deepEqual((await store.list('/')).entries.map(shape), [shape(three), shape(again), shape(kept)])
    })

    test('a watch from before it fails, one from there on works', async store => {
      const one = await store.create('/a', bytes('1'))
      const two = await store.update('/a', bytes('2'), one.modRevision)
      const three = await store.update('/a', bytes('3'), two.modRevision)
      await store.compact(two.modRevision)
      const early = follow(store, '/', one.modRevision)
      await assert.rejects(
        early.until(three.modRevision),
        error => error instanceof Compacted && error.oldest === two.modRevision,
      )
      for (const after of [two.modRevision, 0]) {
        const seen = follow(store, '/', after)
        await seen.until(three.modRevision)
        assert.deepEqual(seen.changes.map(describeChange), [`put /a ${three.modRevision}: 3 was 2`])
      }
    })

    test('it can be asked for again, and for less', async store => {
      const { modRevision } = await store.create('/a', bytes('1'))
      await store.create('/b', bytes('1'))
      await Promise.all([store.compact(modRevision), store.compact(modRevision)])
      await store.compact(modRevision - 1)
      assert.equal(await store.compactedRevision(), modRevision)
    })
  })

  describe(`${name}: time to live`, () => {
    test('a key goes when its time ends, as a change like any other', async (store, { pass }) => {
      const seen = follow(store, '/', await store.revision())
      const brief = await store.create('/brief', bytes('x'), { ttl: 2 })
      await store.create('/long', bytes('x'), { ttl: 3600 })
      await store.create('/forever', bytes('x'))
      while (await store.get('/brief')) await pass(1)
      assert.deepEqual(keys(await store.list('/')), ['/forever', '/long'])
      assert.equal(describeChange(seen.changes.at(-1)!), `delete /brief ${brief.modRevision + 3} was x`)
    })

    test('an update starts it anew, or ends it', async (store, { pass }) => {
      const renewed = await store.create('/renewed', bytes('x'), { ttl: 4 })
      const freed = await store.create('/freed', bytes('x'), { ttl: 4 })
      await store.create('/left', bytes('x'), { ttl: 4 })
      await store.update('/renewed', bytes('x'), renewed.modRevision, { ttl: 3600 })
      await store.update('/freed', bytes('x'), freed.modRevision)
      while (await store.get('/left')) await pass(1)
      assert.deepEqual(keys(await store.list('/')), ['/freed', '/renewed'])
    })

    test('it ends although the store was closed meanwhile', async (store, { open, pass }) => {
      await store.create('/brief', bytes('x'), { ttl: 2 })
      await store.close()
      await pass(3)
      const again = await open()
      while (await again.get('/brief')) await pass(1)
      assert.equal(await again.get('/brief'), undefined)
    })
  })

  describe(`${name}: closing`, () => {
    test('what was accepted is finished, and found again with its history', async (store, { open }) => {
      const one = await store.create('/a', bytes('1'))
      await store.create('/gone', bytes('1'))
      await store.compact(one.modRevision)
      const two = await store.update('/a', bytes('2'), one.modRevision)
      const gone = await store.delete('/gone', two.modRevision - 1)
      const writing = Promise.all(Array.from({ length: 200 }, (_, index) => store.create(`/w/${index}`, bytes('x'))))
      await store.close()
      await writing
      const again = await open()
      assert.equal(await again.count('/w/'), 200)
      assert.equal(await again.revision(), gone.revision + 200)
      assert.deepEqual(shape(await again.get('/a')), shape(two))
      assert.equal(text(await again.get('/a', { revision: one.modRevision })), '1')
      assert.equal(await again.compactedRevision(), one.modRevision)
      const seen = follow(again, '/', one.modRevision)
      const next = await again.create('/next', bytes('x'))
      assert.equal(next.modRevision, gone.revision + 201)
      await seen.until(next.modRevision)
      assert.equal(seen.changes.length, next.modRevision - one.modRevision)
      assert.equal(describeChange(seen.changes[2]!), `delete /gone ${gone.revision} was 1`)
    })

    test('no revision is given twice, though the newest change was compacted away', async (store, { open }) => {
      const { modRevision } = await store.create('/a', bytes('1'))
      const { revision } = await store.delete('/a', modRevision)
      await store.compact(revision)
      await store.close()
      const again = await open()
      assert.equal(await again.revision(), revision)
      assert.equal((await again.create('/a', bytes('1'))).modRevision, revision + 1)
    })

    test('a closed store says so', async store => {
      const seen = follow(store, '/', await store.revision())
      await store.close()
      await store.close()
      await assert.rejects(seen.until(Number.POSITIVE_INFINITY), StoreClosed)
      await assert.rejects(store.get('/a'), StoreClosed)
      await assert.rejects(store.list('/'), StoreClosed)
      await assert.rejects(store.create('/a', bytes('1')), StoreClosed)
      await assert.rejects(store.delete('/a', 1), StoreClosed)
      await assert.rejects(store.revision(), StoreClosed)
      await assert.rejects(store.compact(1), StoreClosed)
      await assert.rejects(follow(store, '/', 1).until(Number.POSITIVE_INFINITY), StoreClosed)
    })
  })

  describe(`${name}: against a model`, () => {
    for (const seed of [1, 2, 3])
      test(`random writes, reads of the past, compactions and reopenings, seed ${seed}`, async (first, { open }) => {
        await compareWithModel(first, open, seed)
      })
  })
}

/** The present as a plain map, and a copy of it for every revision. */
async function compareWithModel(first: Store, open: () => Promise<Store>, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const pick = (below: number) => Math.floor(random.next() * below)
  let store = first
  let revision = await store.revision()
  let oldest = revision
  const present = new Map<string, { value: string; modRevision: number }>()
  const past = new Map([[revision, new Map<string, string>()]])
  const wrote = () => past.set(++revision, new Map([...present].map(([key, { value }]) => [key, value])))

  for (let step = 0; step < 400; step++) {
    const key = `/${pick(12)}`
    const held = present.get(key)
    const value = `${step}`
    const action = pick(100)
    if (action < 45) {
      const writing = held ? store.update(key, bytes(value), held.modRevision) : store.create(key, bytes(value))
      const { modRevision } = await writing
      present.set(key, { value, modRevision })
      wrote()
      assert.equal(modRevision, revision)
    } else if (action < 70 && held) {
      present.delete(key)
      wrote()
      assert.equal((await store.delete(key, held.modRevision)).revision, revision)
    } else if (action < 94) {
      const at = oldest + pick(revision - oldest + 1)
      const page = await store.list('/', { revision: at })
      assert.deepEqual(new Map(page.entries.map(entry => [entry.key, text(entry)])), past.get(at))
    } else if (action < 97) {
      oldest += pick(revision - oldest + 1)
      await store.compact(oldest)
    } else {
      await store.close()
      store = await open()
      assert.equal(await store.revision(), revision)
    }
  }
}

interface Follower {
  prefix: string
  after: number
  changes: Change[]
  watcher: { close(): void }
  /** Resolves when the change of this revision has arrived; rejects when the watch fails first. */
  until(revision: number): Promise<void>
}

function follow(store: Store, prefix: string, after: number, seen?: () => void): Follower {
  const changes: Change[] = []
  let failure: Error | undefined
  let wake = () => {}
  const watcher = store.watch(prefix, after, {
    changes(more) {
      changes.push(...more)
      seen?.()
      wake()
    },
    failed(error) {
      failure = error
      wake()
    },
  })
  const until = async (revision: number) => {
    while ((changes.at(-1)?.revision ?? 0) < revision) {
      if (failure) throw failure
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  return { prefix, after, changes, watcher, until }
}

const bytes = (value: string) => Buffer.from(value)
const text = (entry: Entry | undefined) => (entry ? Buffer.from(entry.value).toString() : undefined)
const keys = (page: { entries: Entry[] }) => page.entries.map(({ key }) => key)
const shape = (entry: Entry | undefined) => entry && { ...entry, value: text(entry) }

function describeChange({ type, key, revision, entry, previous }: Change): string {
  const now = entry ? `: ${text(entry)}` : ''
  const before = previous ? ` was ${text(previous)}` : ''
  return `${type} ${key} ${revision}${now}${before}`
}
