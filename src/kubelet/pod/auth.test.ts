import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '../../api/index.ts'
import { registryAuths } from './auth.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

const secret = (auths: Record<string, object>): core.Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'n', uid: '', resourceVersion: '', creationTimestamp: '' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
})

const users = (auths: Record<string, object>, image: string) =>
  registryAuths([secret(auths)], image).map(({ username }) => username)

const login = (username: string) => ({ auth: base64(`${username}:pass:word`) })

test('a login fits its registry, the more specific first', () => {
  const auths = { 'example.com': login('all'), 'example.com/team': login('team'), 'other.com': login('other') }
  assert.deepEqual(users(auths, 'example.com/team/app:1'), ['team', 'all'])
  assert.deepEqual(users(auths, 'example.com/app'), ['all'])
  assert.deepEqual(users(auths, 'busybox'), [])
})

test('Docker Hub by its old name, ports, and globs in host names', () => {
  assert.deepEqual(users({ 'https://index.docker.io/v1/': login('hub') }, 'busybox'), ['hub'])
  assert.deepEqual(users({ 'localhost:5000': login('local') }, 'localhost:5000/a@sha256:00'), ['local'])
  assert.deepEqual(users({ '*.example.com': login('any') }, 'eu.example.com/a'), ['any'])
  assert.deepEqual(users({ '*.example.com': login('any') }, 'a.b.example.com/a'), [])
})

test('a password may contain a colon, and a secret that cannot be read is passed over', () => {
  assert.equal(registryAuths([secret({ 'a.io': login('u') })], 'a.io/x')[0]?.password, 'pass:word')
  const broken = { ...secret({}), data: { '.dockerconfigjson': base64('{') } }
  assert.deepEqual(registryAuths([broken], 'a.io/x'), [])
})
