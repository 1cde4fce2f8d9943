import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bodyOf } from './answer.ts'

const HEAD = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
const unread = (type: string) =>
  `couldn't get version/kind; json parse error: json: cannot unmarshal ${type} into Go value of type ${HEAD}`
const status = '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"from status","code":418}'

/** What a webhook answers, and what upstream says of it. */
const refused: [status: number, body: string, message: string, type?: string][] = [
  [200, '', '0-length response with status code: 200 and content type: application/json'],
  [204, '', '0-length response with status code: 204 and content type: text/plain', 'text/plain'],
  [200, 'not json', unread('string')],
  [200, '[]', unread('array')],
  [200, '"x"', unread('string')],
  [200, 'true', unread('bool')],
  [200, '{"a":', "couldn't get version/kind; json parse error: unexpected end of JSON input"],
  [301, 'boom', 'the server responded with the status code 301 but did not return more information'],
  [400, 'boom', 'the server rejected our request for an unknown reason'],
  [401, 'boom', 'the server has asked for the client to provide credentials'],
  [403, 'boom', 'boom', 'text/plain'],
  [403, 'boom', 'unknown'],
  [404, 'boom', 'the server could not find the requested resource'],
  [405, 'boom', 'the server does not allow this method on the requested resource'],
  [406, 'boom', 'boom', 'text/plain'],
  [409, 'boom', 'the server reported a conflict'],
  [410, 'boom', 'the server responded with the status code 410 but did not return more information'],
  [415, 'boom', 'boom', 'text/plain'],
  [422, 'boom', 'the server rejected our request due to an error in our request'],
  [429, 'boom', 'the server has received too many requests and has asked us to try again later'],
  [500, 'boom', 'an error on the server ("boom") has prevented the request from succeeding', 'text/plain'],
  [500, 'boom', 'an error on the server ("unknown") has prevented the request from succeeding'],
  [500, '', 'an error on the server ("") has prevented the request from succeeding', ''],
  [502, 'boom', 'an error on the server ("boom") has prevented the request from succeeding', 'text/html'],
  [503, 'boom', 'the server is currently unable to handle the request'],
  [400, status, 'from status'],
  [503, status, 'from status'],
]

describe('what a webhook answers', () => {
  for (const [code, body, message, type = 'application/json'] of refused)
    it(`is refused: ${code} ${body.slice(0, 20)} (${type})`, async () => {
      await assert.rejects(bodyOf({ status: code, type, body: Buffer.from(body) }), { message })
    })

  it('is an object, of JSON or of YAML', async () => {
    const read = (body: string) => bodyOf({ status: 200, type: '', body: Buffer.from(body) })
    assert.deepEqual(await read(' {"a": 1}'), { a: 1 })
    assert.deepEqual(await read('a: 1\n'), { a: 1 })
    assert.deepEqual(await read('null'), {})
  })
})
