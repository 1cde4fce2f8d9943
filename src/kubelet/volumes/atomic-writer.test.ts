import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { checkPath, type Payload, writeAtomically } from './atomic-writer.ts'

let volume = ''
beforeEach(async () => {
  volume = await mkdtemp(join(tmpdir(), 'k8ts-volume-'))
})
afterEach(() => rm(volume, { recursive: true }))

const payload = (files: Record<string, string>, mode = 0o640): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]))

const visible = async () => (await readdir(volume)).filter(name => !name.startsWith('..')).sort()

test('files appear through ..data, with their modes', async () => {
  assert.equal(await writeAtomically(volume, payload({ a: '1', 'deep/b': '2' }), 'first'), true)
  assert.equal(await readlink(join(volume, '..data')), '..first')
  assert.deepEqual(await visible(), ['a', 'deep'])
  assert.equal(await readFile(join(volume, 'deep/b'), 'utf8'), '2')
  assert.equal((await stat(join(volume, 'a'))).mode & 0o777, 0o640)
})

test('the same again changes nothing', async () => {
  await writeAtomically(volume, payload({ a: '1' }), 'first')
  assert.equal(await writeAtomically(volume, payload({ a: '1' }), 'second'), false)
  assert.equal(await readlink(join(volume, '..data')), '..first')
})

test('an update swaps all at once and leaves nothing of the old', async () => {
  await writeAtomically(volume, payload({ a: '1', gone: 'x' }), 'first')
  await writeAtomically(volume, payload({ a: '2', fresh: 'y' }), 'second')
  assert.deepEqual(await visible(), ['a', 'fresh'])
  assert.equal(await readFile(join(volume, 'a'), 'utf8'), '2')
  assert.deepEqual((await readdir(volume)).sort(), ['..data', '..second', 'a', 'fresh'])
})

test('no path leads out of the volume', () => {
  for (const path of ['', '/etc/passwd', 'a/../../b', '..data/x', '..']) assert.throws(() => checkPath(path), path)
  checkPath('a/b..c')
})
