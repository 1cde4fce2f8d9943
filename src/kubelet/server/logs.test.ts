import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '../../base/index.ts'
import { parseLogLine } from './log-format.ts'
import { type LogOptions, readLogs } from './logs.ts'

const line = (second: number, tag: string, text: string) =>
  `2026-01-01T00:00:0${second}.000000000Z stdout ${tag} ${text}\n`
const THREE = line(1, 'F', 'one') + line(2, 'P', 'tw') + line(3, 'F', 'o') + line(4, 'F', 'three')

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'k8ts-logs-'))
})
after(() => rm(folder, { recursive: true }))

const source = (path: string, isRunning = async () => false) => ({
  path,
  isRunning,
  clock: systemClock,
  signal: new AbortController().signal,
})

async function read(text: string, options: Partial<LogOptions>): Promise<string> {
  const path = join(folder, 'log')
  await writeFile(path, text)
  let result = ''
  for await (const piece of readLogs(source(path), { follow: false, timestamps: false, ...options })) result += piece
  return result
}

test('a log line is taken apart', () => {
  const parsed = parseLogLine(Buffer.from('2026-01-01T00:00:01.5Z stderr P half a '))
  assert.equal(parsed?.time, '2026-01-01T00:00:01.5Z')
  assert.equal(parsed?.stream, 'stderr')
  assert.equal(parsed?.partial, true)
  assert.equal(parsed?.text.toString(), 'half a ')
  assert.equal(parseLogLine(Buffer.from('t stdout F'))?.text.length, 0)
  assert.equal(parseLogLine(Buffer.from('what is this')), undefined)
})

test('lines that the runtime cut are joined again', async () => {
  assert.equal(await read(THREE, {}), 'one\ntwo\nthree\n')
})

test('options', async () => {
  assert.equal(await read(THREE, { tailLines: 1 }), 'three\n')
  assert.equal(await read(THREE, { tailLines: 0 }), '')
  assert.equal(await read(THREE, { tailLines: 100 }), 'one\ntwo\nthree\n')
  assert.equal(await read(THREE, { limitBytes: 6 }), 'one\ntw')
  assert.equal(await read(THREE, { since: Date.UTC(2026, 0, 1, 0, 0, 4) }), 'three\n')
  assert.equal(await read(line(1, 'F', 'one'), { timestamps: true }), '2026-01-01T00:00:01.000000000Z one\n')
})

test('following goes on over a rotation and ends with the container', { timeout: 10_000 }, async () => {
  const path = join(folder, 'followed')
  await writeFile(path, line(1, 'F', 'one'))
  let runs = true
  const seen: string[] = []
  for await (const piece of readLogs(
    source(path, async () => runs),
    { follow: true, timestamps: false },
  )) {
    seen.push(piece.toString())
    if (seen.length === 1) await appendFile(path, line(2, 'F', 'two'))
    if (seen.length === 2) {
      await rename(path, `${path}.1`)
      await writeFile(path, line(3, 'F', 'three'))
    }
    if (seen.length === 3) runs = false
  }
  assert.deepEqual(seen, ['one\n', 'two\n', 'three\n'])
})
