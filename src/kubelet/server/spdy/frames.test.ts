import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { dataFrames, FrameReader, pingFrame, synStream } from './frames.ts'

test('frames come out as they went in, however the bytes are cut', () => {
  const bytes = Buffer.concat([dataFrames(5, Buffer.from('hello')), pingFrame(2), dataFrames(5, Buffer.alloc(0), true)])
  const reader = new FrameReader()
  const frames = Array.from(bytes, byte => reader.push(Buffer.from([byte]))).flat()
  assert.deepEqual(frames, [
    { type: 'data', streamId: 5, fin: false, data: Buffer.from('hello') },
    { type: 'ping', id: 2 },
    { type: 'data', streamId: 5, fin: true, data: Buffer.alloc(0) },
  ])
  assert.deepEqual(new FrameReader().push(bytes), frames)
})

test('more data than a frame can hold goes in several, and only the last one ends', () => {
  const frames = new FrameReader().push(dataFrames(1, Buffer.alloc(2 ** 24 + 10), true))
  assert.deepEqual(
    frames.map(frame => frame.type === 'data' && [frame.data.length, frame.fin]),
    [
      [2 ** 24 - 1, false],
      [11, true],
    ],
  )
})

test('headers are a zlib stream that begins with the first frame and goes on in the next', () => {
  const HEAD = 18
  const parts = [synStream(1, { streamType: 'error' }, true), synStream(3, { streamType: 'stdout' }, false)]
  const END = Buffer.from([1, 0, 0, 0xff, 0xff])
  const stream = Buffer.concat([...parts.map(part => part.subarray(HEAD)), END])
  // Only the checksum is missing, which a stream that never ends has not.
  const text = inflateSync(stream, { finishFlush: 2 }).toString('latin1')
  const number = (value: number) => `\0\0\0${String.fromCharCode(value)}`
  const block = (value: string) => `${number(1)}${number(10)}streamtype${number(value.length)}${value}`
  assert.equal(text, block('error') + block('stdout'))
})
