import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type { meta } from '../../src/api/index.ts'
import {
  type Answer,
  type Call,
  caller,
  makeServiceAccount,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'

/** What upstream's API server 1.36 has answered to the same requests: see the tables in test/corpus/upstream. */
const table = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../corpus/upstream/${name}`, import.meta.url), 'utf8'))

/** Name, request, content type, body, and the status, the message and the warnings that came. */
type Row = [string, string, string, string | undefined, number, string, string[]]

interface Step {
  method: string
  path: string
  type?: string
  body: { metadata?: Record<string, unknown> }
  status: number
  message?: string
  /** Without their times. */
  owners?: meta.ManagedFieldsEntry[]
}

interface Story {
  kind: string
  steps: Step[]
}

let server: TestApiServer
let call: Call

before(async () => {
  server = await startTestApiServer()
  call = caller(server)
  await call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'ns' } } })
  await makeServiceAccount(call, 'ns')
  const made = await call('POST', `${MAPS}?fieldManager=unknown`, {
    body: { metadata: { name: 'a' }, data: { k: 'v' } },
  })
  assert.equal(made.status, 201)
  const containers = [{ name: 'c', image: 'i' }]
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers } }
  const body = { metadata: { name: 'a' }, spec: { selector: { matchLabels: { a: 'b' } }, template } }
  assert.equal((await call('POST', DEPLOYMENTS, { body })).status, 201)
})

after(() => server.stop())

const MAPS = '/api/v1/namespaces/ns/configmaps'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/ns/deployments'

const here = (text: string) => text.replaceAll('NS', 'ns')

function pathOf(short: string): string {
  if (short.startsWith('/')) return here(short)
  return `${short.startsWith('deployments') ? '/apis/apps/v1' : '/api/v1'}/namespaces/ns/${short}`
}

/** The texts of the warnings in the order in which they came. */
const warningsOf = ({ headers }: Answer): string[] =>
  [...String(headers.warning ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text]) =>
    text!.replace(/\\(.)/g, '$1'),
  )

describe('a write answers as upstream does', () => {
  for (const [name, request, type, body, status, message, warnings] of table<Row[]>('answers.json'))
    it(`${name}: ${request}`, async () => {
      const [method, short] = request.split(' ') as [string, string]
      const answer = await call(method, pathOf(short), { ...(body == null ? {} : { body: here(body) }), type })
      assert.deepEqual(
        [answer.status, status < 400 ? '' : answer.json.message, warningsOf(answer)],
        [status, here(message), warnings],
      )
    })
})

describe('the owners of fields are those that upstream finds', () => {
  for (const [index, { kind, steps }] of table<Story[]>('owners.json').entries())
    it(`${kind} ${index}`, async () => {
      const name = `it-${index}`
      const told = (text: string) => here(text).replace(/\bit\b/g, name)
      for (const [at, step] of steps.entries()) {
        const about = `${at}: ${step.method} ${step.path}`
        const answer = await call(step.method, told(step.path), await sent(step, told))
        if (step.message)
          assert.deepEqual([answer.status, answer.json.message], [step.status, told(step.message)], about)
        else {
          assert.equal(answer.status, step.status, `${about}: ${answer.text}`)
          assert.deepEqual(timeless(answer.json.metadata.managedFields), sorted(step.owners!), about)
        }
      }
    })
})

/** The same request, of the object that is here. */
async function sent(step: Step, told: (text: string) => string) {
  const body = JSON.parse(told(JSON.stringify(step.body)))
  const { metadata = {} } = body
  if (step.method === 'PUT' && metadata.uid) {
    const { json } = await call('GET', told(step.path).split('?')[0]!)
    metadata.uid = json.metadata.uid
    if (metadata.resourceVersion) metadata.resourceVersion = json.metadata.resourceVersion
  }
  // Clients say who they are.
  return { body, headers: { 'user-agent': 'agent/1' }, ...(step.type ? { type: step.type } : {}) }
}

const timeless = (entries: meta.ManagedFieldsEntry[] = []) =>
  sorted(entries.map(({ time: _, fieldsType: __, ...entry }) => entry as meta.ManagedFieldsEntry))

const keyOf = ({ operation, manager, apiVersion, subresource }: meta.ManagedFieldsEntry) =>
  JSON.stringify([operation, manager, apiVersion, subresource])

/** Those of one second stand in no order that matters. */
const sorted = (entries: meta.ManagedFieldsEntry[]) =>
  [...entries].sort((a, b) => (keyOf(a) + JSON.stringify(a) < keyOf(b) + JSON.stringify(b) ? -1 : 1))
