import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseTokenFile } from './token-file.ts'

describe('the token file', () => {
  it('names a user, a uid and groups for each token', () => {
    const known = parseTokenFile('t1,jane,1,"dev,ops"\n\nt2, joe ,,\nt3,"a ""b""",3,"system:masters"\r\n')
    assert.deepEqual(Object.fromEntries(known), {
      t1: { name: 'jane', uid: '1', groups: ['dev', 'ops', 'system:authenticated'] },
      t2: { name: 'joe', groups: ['system:authenticated'] },
      t3: { name: 'a "b"', uid: '3', groups: ['system:masters', 'system:authenticated'] },
    })
  })

  it('needs three columns', () => {
    assert.throws(() => parseTokenFile('t1,jane,1\nt2,joe'), /at least 3 columns .* found 2, line 2/)
  })
})
