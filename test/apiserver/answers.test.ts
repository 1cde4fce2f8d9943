import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Call, caller, makeServiceAccount, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'

/**
 * What a kube-apiserver 1.36.3 answered to the same requests. A line is either an object, with what is read back of it
 * and the cells of its row, or a change to the object before it, with the complaint of a create or an update of that.
 */
interface Sample {
  /** Of the collection. */
  path: string
  object: { metadata: { name: string } }
  /** All but the metadata. */
  gives?: object
  /** All but the name. */
  row?: unknown[]
}

interface Change {
  on: 'create' | 'update'
  /** `spec/rules/0/host` */
  at: string
  /** Absent: the field is left out. */
  to?: unknown
  says: string
}

const folder = join(import.meta.dirname, 'answers')
const lines = readdirSync(folder).flatMap(file => readFileSync(join(folder, file), 'utf8').trim().split('\n'))
const parsed: (Sample | Change)[] = lines.map(line => JSON.parse(line))

let server: TestApiServer
let call: Call
before(async () => {
  server = await startTestApiServer()
  call = caller(server)
  await makeServiceAccount(call)
})
after(() => server.stop())

describe('as upstream answers', () => {
  const starts = parsed.flatMap((line, index) => ('path' in line ? [index] : []))
  for (const [position, start] of starts.entries()) {
    const sample = parsed[start] as Sample
    const changes = parsed.slice(start + 1, starts[position + 1]) as Change[]
    test(`${sample.path} ${sample.object.metadata.name}`, () => run(sample, changes))
  }
})

async function run({ path, object, gives, row }: Sample, changes: Change[]): Promise<void> {
  const item = `${path}/${object.metadata.name}`
  const created = await call('POST', path, { body: object })
  assert.equal(created.status, 201, created.text)
  const { apiVersion: _, kind: __, metadata, ...rest } = created.json
  if (gives) assert.deepEqual(withoutVolatile(rest), gives)
  if (row) assert.deepEqual(await cellsOf(item, row.length), row)
  for (const { on, at, to, says } of changes) {
    const body = changed(object, at.split('/'), to)
    const answer =
      on === 'create'
        ? await call('POST', `${path}?dryRun=All`, { body })
        : await call('PUT', `${item}?dryRun=All`, { body: withVersion(body, await versionOf(item)) })
    assert.equal(answer.status, 422, `${at}: ${answer.text}`)
    assert.equal(complaint(answer.json.message), says, at)
  }
  await call('DELETE', item)
  assert.ok(metadata.uid)
}

const complaint = (message: string) => message.replace(/^[^ ]+ "[^"]*" is invalid: /, '')

const versionOf = async (item: string): Promise<string> => (await call('GET', item)).json.metadata.resourceVersion

const withVersion = (object: Sample['object'], resourceVersion: string) => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
})

/** A copy in which one field is another. */
function changed(object: Sample['object'], [...at]: string[], to: unknown): Sample['object'] {
  const copy = structuredClone(object)
  const last = at.pop()!
  const parent = at.reduce<Record<string, never>>((value, key) => value[key]!, copy as never) as Record<string, unknown>
  if (to === undefined && Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (to === undefined) delete parent[last]
  else parent[last] = to
  return copy
}

/** Without what says when and who. */
const withoutVolatile = (value: object): object =>
  JSON.parse(
    JSON.stringify(value, (key, item) =>
      ['uid', 'creationTimestamp', 'time', 'extra'].includes(key) && typeof item !== 'function' ? undefined : item,
    ),
  )

async function cellsOf(item: string, count: number): Promise<unknown[]> {
  const table = await call('GET', item, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })
  const cells: unknown[] = table.json.rows[0].cells.slice(1, count + 1)
  return cells.map(cell => (typeof cell === 'string' && /^\d+[smh]$|^20\d\d-/.test(cell) ? 'AGE' : cell))
}
