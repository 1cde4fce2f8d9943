import assert from 'node:assert/strict'
import { test } from 'node:test'
import { browserHeaders } from './browsers.ts'
import type { Context } from './context.ts'

const asked = (origin?: string) => ({ headers: { origin } }) as unknown as Context['request']

test('pages of allowed origins may ask', () => {
  const headers = browserHeaders({ allowedOrigins: [/^https:\/\/a\.example$/], strictTransport: 'max-age=1' })
  const { 'Access-Control-Allow-Origin': origin, ...rest } = headers(asked('https://a.example'))!
  assert.equal(origin, 'https://a.example')
  assert.equal(rest['Strict-Transport-Security'], 'max-age=1')
  for (const other of ['https://b.example', undefined])
    assert.deepEqual(headers(asked(other)), { 'Strict-Transport-Security': 'max-age=1' })
  assert.equal(browserHeaders({})(asked('https://a.example')), undefined)
})
