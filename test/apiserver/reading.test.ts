import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { WebSocket } from 'ws'
import {
  type Answer,
  type Call,
  caller,
  startTestApiServer,
  type TestApiServer,
  type TestWatch,
  watcher,
} from '../support/apiserver.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const FUTURE = '999999999'

/** The tables of https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions */
describe('reading', () => {
  let server: TestApiServer
  let call: Call
  let watch: (path: string) => Promise<TestWatch>
  /** Revisions: after `a`, after `a` and `b`, after `b` is labelled, after `a` is gone. */
  let one: string
  let two: string
  let changed: string
  let gone: string
  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    watch = watcher(server)
    one = await make('a')
    two = await make('b')
    changed = (await patch('b', { color: 'red' })).json.metadata.resourceVersion
    await call('DELETE', `${MAPS}/a`)
    gone = (await call('GET', MAPS)).json.metadata.resourceVersion
  })
  after(() => server.stop())

  const make = async (name: string, labels?: object): Promise<string> =>
    (await call('POST', MAPS, { body: { metadata: { name, labels } } })).json.metadata.resourceVersion
  const patch = (name: string, labels: object) =>
    call('PATCH', `${MAPS}/${name}`, { body: { metadata: { labels } }, type: 'application/merge-patch+json' })
  const list = (query: Record<string, string>) => call('GET', `${MAPS}?${new URLSearchParams(query)}`)
  const names = ({ json }: Answer) => json.items.map((item: { metadata: { name: string } }) => item.metadata.name)

  describe('get', () => {
    for (const [what, revision, status] of [
      ['the newest, when no revision is named', undefined, 200],
      ['any, for revision 0', '0', 200],
      ['one that is not older', 'past', 200],
      ['what has not happened, after a while', FUTURE, 504],
      // Upstream finds it too late to say whose fault it is.
      ['no revision that is none', 'x', 500],
    ] as const)
      it(`answers ${what}`, async () => {
        const wanted = revision === 'past' ? one : revision
        const answer = await call('GET', `${MAPS}/b${wanted === undefined ? '' : `?resourceVersion=${wanted}`}`)
        assert.equal(answer.status, status)
        if (status === 200) assert.equal(answer.json.metadata.resourceVersion, changed)
      })
  })

  describe('list', () => {
    const PAST = 'the revision before the changes'
    /** limit, resourceVersion, resourceVersionMatch, what is seen. */
    const table: [limit: string, revision: string, match: string, seen: 'now' | 'then' | RegExp][] = [
      ['', '', '', 'now'],
      ['', '0', '', 'now'],
      ['', PAST, '', 'now'],
      ['', '', 'Exact', /resourceVersionMatch is forbidden unless resourceVersion is provided/],
      ['', '0', 'Exact', /resourceVersionMatch "exact" is forbidden for resourceVersion "0"/],
      ['', PAST, 'Exact', 'then'],
      ['', '', 'NotOlderThan', /resourceVersionMatch is forbidden unless resourceVersion is provided/],
      ['', '0', 'NotOlderThan', 'now'],
      ['', PAST, 'NotOlderThan', 'now'],
      ['5', '', '', 'now'],
      ['5', '0', '', 'now'],
      ['5', PAST, '', 'then'],
      ['5', PAST, 'Exact', 'then'],
      ['5', PAST, 'NotOlderThan', 'now'],
      ['5', '0', 'NotOlderThan', 'now'],
      ['', PAST, 'Newest', /Unsupported value: "Newest": supported values: "Exact", "NotOlderThan", ""/],
    ]
    for (const [limit, revision, match, seen] of table)
      it(`limit=${limit || '-'} resourceVersion=${revision || '-'} resourceVersionMatch=${match || '-'}`, async () => {
        const query: Record<string, string> = {}
        if (limit) query.limit = limit
        if (revision) query.resourceVersion = revision === PAST ? two : revision
        if (match) query.resourceVersionMatch = match
        const answer = await list(query)
        if (seen instanceof RegExp) {
          assert.equal(answer.status, 422)
          return assert.match(answer.json.message, seen)
        }
        assert.deepEqual(names(answer), seen === 'then' ? ['a', 'b'] : ['b'])
        assert.equal(answer.json.metadata.resourceVersion, seen === 'then' ? two : gone)
      })

    it('refuses what has not happened as too large, exactly or at least', async () => {
      for (const match of ['Exact', 'NotOlderThan']) {
        const { status, json } = await list({ resourceVersion: FUTURE, resourceVersionMatch: match })
        assert.equal(status, 504)
        assert.equal(json.details.causes[0].reason, 'ResourceVersionTooLarge')
        assert.match(json.message, new RegExp(`^Timeout: Too large resource version: ${FUTURE}, current: \\d+$`))
      }
    })

    it('takes no other revision, and no match, with a continue token', async () => {
      await make('c')
      const token = (await list({ limit: '1' })).json.metadata.continue
      const other = await list({ limit: '1', continue: token, resourceVersion: one })
      assert.equal(other.status, 400)
      assert.equal(other.json.message, 'specifying resource version is not allowed when using continue')
      const matched = await list({ limit: '1', continue: token, resourceVersion: one, resourceVersionMatch: 'Exact' })
      assert.equal(matched.status, 422)
      assert.match(matched.json.message, /resourceVersionMatch is forbidden when continue is provided/)
      assert.deepEqual(names(await list({ continue: token, resourceVersion: '0' })), ['c'])
      const unlimited = await list({ continue: token })
      assert.equal(unlimited.json.metadata.continue, undefined)
      await call('DELETE', `${MAPS}/c`)
    })

    it('refuses a limit that is no number, and sendInitialEvents', async () => {
      const limit = await list({ limit: 'many' })
      assert.equal(limit.status, 400)
      assert.equal(limit.json.message, 'strconv.ParseInt: parsing "many": invalid syntax')
      const initial = await list({ sendInitialEvents: 'false' })
      assert.match(initial.json.message, /sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list/)
      const token = await list({ limit: '1', continue: 'bm9uZQ' })
      assert.equal(token.status, 400)
      assert.match(token.json.message, /^invalid continue token: /)
    })

    it('says that a revision is gone', async () => {
      const past = await make('d')
      await call('DELETE', `${MAPS}/d`)
      const now = (await list({})).json.metadata.resourceVersion
      await server.store.compact(Number(now))
      const { status, json } = await list({ resourceVersion: past, resourceVersionMatch: 'Exact' })
      assert.deepEqual([status, json.reason], [410, 'Expired'])
      assert.equal(json.message, 'The resourceVersion for the provided list is too old.')
    })
  })

  describe('watch', () => {
    /** The events up to and with the first bookmark. */
    async function untilBookmark(query: string): Promise<[type: string, name: string | undefined][]> {
      const events = await watch(`${MAPS}?watch=true&allowWatchBookmarks=true&${query}`)
      const seen: [string, string | undefined][] = []
      for (;;) {
        const { type, object } = await events.next()
        seen.push([type, object.metadata.name])
        if (type === 'BOOKMARK') break
      }
      events.close()
      return seen
    }

    it('begins with the present state when it names no revision, and says where that ends', async () => {
      for (const query of ['', 'resourceVersion=0', 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan'])
        assert.deepEqual(
          await untilBookmark(query),
          [
            ['ADDED', 'b'],
            ['BOOKMARK', undefined],
          ],
          query,
        )
    })

    it('begins with what comes next when it wants no initial events', async () => {
      const events = await watch(`${MAPS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`)
      await make('later')
      assert.equal((await events.next()).object.metadata.name, 'later')
      events.close()
      await call('DELETE', `${MAPS}/later`)
    })

    it('waits for what has not happened yet', async () => {
      const now = Number((await list({})).json.metadata.resourceVersion)
      const events = await watch(`${MAPS}?watch=true&resourceVersion=${now + 1}`)
      await make('not-seen')
      await call('DELETE', `${MAPS}/not-seen`)
      assert.equal((await events.next()).type, 'DELETED')
      events.close()
    })

    for (const [query, message] of [
      ['sendInitialEvents=true', /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/],
      ['resourceVersionMatch=NotOlderThan', /resourceVersionMatch is forbidden for watch unless sendInitialEvents/],
      [
        'sendInitialEvents=true&resourceVersionMatch=Exact',
        /Unsupported value: "Exact": supported values: "NotOlderThan"/,
      ],
    ] as const)
      it(`refuses ${query}`, async () => {
        const { status, json } = await call('GET', `${MAPS}?watch=true&${query}`)
        assert.equal(status, 422)
        assert.match(json.message, message)
      })

    it('ends when its time is up, after a last bookmark', async () => {
      const events = await watch(`${MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=${gone}`)
      const { type, object } = await events.next()
      assert.equal(type, 'ERROR', 'the revision was compacted above')
      assert.equal(object.reason, 'Expired')
      await events.ended
      const now = (await list({})).json.metadata.resourceVersion
      const timed = await watch(`${MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=${now}`)
      assert.equal((await timed.next()).type, 'BOOKMARK')
      await timed.ended
    })

    it('tells of objects that enter and leave a selection', async () => {
      const now = (await list({})).json.metadata.resourceVersion
      const events = await watch(`${MAPS}?watch=true&labelSelector=mood%3Dgood&resourceVersion=${now}`)
      await make('moody', { mood: 'bad' })
      await patch('moody', { mood: 'good' })
      await patch('moody', { mood: 'good', more: 'yes' })
      await patch('moody', { mood: 'bad' })
      await patch('moody', { mood: 'good' })
      await call('DELETE', `${MAPS}/moody`)
      const seen: string[] = []
      for (let count = 0; count < 5; count++) seen.push((await events.next()).type)
      assert.deepEqual(seen, ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED'])
      events.close()
    })
  })

  describe('watch over a WebSocket', () => {
    const connect = (query: string, protocols: string[] = []) =>
      new WebSocket(`wss://127.0.0.1:${server.port}${MAPS}?watch=true&${query}`, protocols, {
        ca: server.ca,
        ...server.admin,
      })

    it('gets a text frame for each event', async () => {
      const socket = connect('resourceVersion=0')
      const frames: { type: string; name: string }[] = []
      const enough = new Promise<void>(resolve =>
        socket.on('message', (data, binary) => {
          assert.equal(binary, false)
          const { type, object } = JSON.parse(String(data))
          frames.push({ type, name: object.metadata.name })
          if (frames.length === 4) resolve()
        }),
      )
      await once(socket, 'open')
      await Promise.all([make('w1'), make('w2')])
      await call('DELETE', `${MAPS}/w1`)
      await enough
      assert.deepEqual(frames[0], { type: 'ADDED', name: 'b' })
      assert.deepEqual(
        frames
          .slice(1, 3)
          .map(({ name }) => name)
          .sort(),
        ['w1', 'w2'],
      )
      assert.deepEqual(frames[3], { type: 'DELETED', name: 'w1' })
      socket.close()
      await once(socket, 'close')
      await call('DELETE', `${MAPS}/w2`)
    })

    it('is closed when the time is up', async () => {
      const socket = connect(`timeoutSeconds=1`)
      const [code] = await once(socket, 'close')
      assert.equal(code, 1000)
    })

    it('takes the token in a subprotocol, and answers with the other one', async () => {
      const token = Buffer.from('nobody').toString('base64url')
      const refused = new WebSocket(
        `wss://127.0.0.1:${server.port}${MAPS}?watch=true`,
        [`base64url.bearer.authorization.k8s.io.${token}`, 'mine'],
        { ca: server.ca },
      )
      const [error] = await once(refused, 'error')
      assert.match(error.message, /401/)
      const socket = connect('', [`base64url.bearer.authorization.k8s.io.${token}`, 'mine'])
      await once(socket, 'open')
      assert.equal(socket.protocol, 'mine')
      socket.terminate()
    })

    it('ends with the server', async () => {
      const other = await startTestApiServer()
      const socket = new WebSocket(`wss://127.0.0.1:${other.port}${MAPS}?watch=true`, [], {
        ca: other.ca,
        ...other.admin,
      })
      await once(socket, 'open')
      const closed = once(socket, 'close')
      await other.stop()
      assert.equal((await closed)[0], 1001)
    })
  })
})
