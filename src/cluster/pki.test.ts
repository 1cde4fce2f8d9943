import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { VirtualClock } from '../base/index.ts'
import { ensurePki } from './pki.ts'

const DAY = 24 * 60 * 60 * 1000

let directory: string
let clock: VirtualClock
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'k8ts-pki-'))
  clock = new VirtualClock(Date.UTC(2026, 5, 1))
})
afterEach(() => rmSync(directory, { recursive: true }))

const ensure = (changes = {}) =>
  ensurePki({
    directory,
    nodeName: 'node-1',
    nodeIp: '192.0.2.7',
    serviceIp: '10.96.0.1',
    domain: 'cluster.local',
    clock,
    ...changes,
  })
const certificate = (name: string) => new X509Certificate(readFileSync(join(directory, `${name}.crt`)))
const snapshot = () =>
  Object.fromEntries(readdirSync(directory).map(name => [name, readFileSync(join(directory, name), 'utf8')]))

test('the API server is certified for every name it is called by', async () => {
  await ensure()
  const server = certificate('apiserver')
  for (const name of ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost', 'node-1']) {
    assert.ok(server.checkHost(name), name)
  }
  assert.ok(server.checkHost('kubernetes.default.svc.cluster.local'))
  for (const address of ['127.0.0.1', '10.96.0.1', '192.0.2.7', '::1']) assert.ok(server.checkIP(address), address)
  assert.ok(server.verify(certificate('ca').publicKey))
  assert.ok(certificate('front-proxy-client').verify(certificate('front-proxy-ca').publicKey))
  assert.equal(certificate('apiserver-kubelet-client').subject, 'O=system:masters\nCN=kube-apiserver-kubelet-client')
})

test('keys and certificates are for the owner only', async () => {
  await ensure()
  for (const name of readdirSync(directory)) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
})

test('what is good is kept', async () => {
  await ensure()
  const before = snapshot()
  await ensure()
  assert.deepEqual(snapshot(), before)
})

test('a certificate is renewed a month before it expires, the authority and the keys of tokens stay', async () => {
  await ensure()
  const before = snapshot()
  await clock.advance(336 * DAY)
  await ensure()
  const after = snapshot()
  assert.notEqual(after['apiserver.crt'], before['apiserver.crt'])
  assert.notEqual(after['front-proxy-client.crt'], before['front-proxy-client.crt'])
  assert.equal(after['ca.crt'], before['ca.crt'])
  assert.equal(after['sa.key'], before['sa.key'])
})

test('a new address of the machine gets new serving certificates only', async () => {
  await ensure()
  const before = snapshot()
  await ensure({ nodeIp: '192.0.2.8' })
  const changed = Object.entries(snapshot()).filter(([name, text]) => before[name] !== text)
  assert.deepEqual(changed.map(([name]) => name).sort(), [
    'apiserver.crt',
    'apiserver.key',
    'kubelet.crt',
    'kubelet.key',
  ])
  assert.ok(certificate('apiserver').checkIP('192.0.2.8'))
})

test('a damaged file is made anew', async () => {
  await ensure()
  writeFileSync(join(directory, 'kubelet.crt'), 'torn')
  await ensure()
  assert.ok(certificate('kubelet').verify(certificate('ca').publicKey))
})

test('a new authority signs everything anew', async () => {
  await ensure()
  rmSync(join(directory, 'ca.key'))
  await ensure()
  assert.ok(certificate('apiserver').verify(certificate('ca').publicKey))
})
