import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { imageArchive, sha256, tar } from './archive.ts'

const listing = (archive: Buffer) =>
  execFileSync('tar', ['--list', '--verbose', '--file=-'], { input: archive, encoding: 'utf8' }).trim().split('\n')

const file = (archive: Buffer, path: string) => execFileSync('tar', ['-xOf', '-', path], { input: archive })

test('tar reads what was written', () => {
  const archive = tar([
    { path: 'bin/' },
    { path: 'tmp/', mode: 0o1777 },
    { path: 'bin/sh', content: 'hello', mode: 0o755 },
    { path: 'bin/ls', link: 'sh' },
    { path: 'wait', fifo: true },
  ])
  const lines = listing(archive).map(line => line.split(/\s+/))
  assert.deepEqual(
    lines.map(fields => [fields[0], fields.slice(5).join(' ')]),
    [
      ['drwxr-xr-x', 'bin/'],
      ['drwxrwxrwt', 'tmp/'],
      ['-rwxr-xr-x', 'bin/sh'],
      ['lrwxrwxrwx', 'bin/ls -> sh'],
      ['prw-r--r--', 'wait'],
    ].map(([mode, path]) => [mode === 'lrwxrwxrwx' ? 'lrw-r--r--' : mode, path]),
  )
  assert.equal(file(archive, 'bin/sh').toString(), 'hello')
  assert.equal(archive.length % 512, 0)
})

test('a path that ustar cannot hold is refused', () => {
  assert.throws(() => tar([{ path: 'a'.repeat(101) }]), /too long/)
})

test('an image archive names each image and its layer by digest', () => {
  const layer = [{ path: 'hello', content: 'world' }]
  const archive = imageArchive([
    { name: 'k8ts.local/a:1', config: { Cmd: ['/hello'] }, layer },
    { name: 'k8ts.local/b:2', config: { Cmd: ['/hello'], Env: ['A=b'] }, layer },
  ])
  const manifest = JSON.parse(file(archive, 'manifest.json').toString())
  assert.deepEqual(
    manifest.map((image: { RepoTags: string[] }) => image.RepoTags),
    [['k8ts.local/a:1'], ['k8ts.local/b:2']],
  )
  for (const { Config, Layers } of manifest) {
    const config = file(archive, Config)
    assert.equal(Config, `${sha256(config)}.json`)
    assert.deepEqual(JSON.parse(config.toString()).rootfs.diff_ids, [`sha256:${sha256(file(archive, Layers[0]))}`])
  }
  assert.equal(manifest[0].Layers[0], manifest[1].Layers[0])
  assert.equal(listing(archive).length, 4, 'the shared layer is stored once')
})
