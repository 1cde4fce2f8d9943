import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineSplitter } from './lines.ts'

test('lines come out whole, wherever the chunks are cut', () => {
  const text = '{"a":1}\n{"name":"größe"}\n\n{"b":2}\n'
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = new LineSplitter()
    const lines: string[] = []
    for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)))
    assert.deepEqual(lines, ['{"a":1}', '{"name":"größe"}', '{"b":2}'], `chunks of ${size} bytes`)
  }
})
