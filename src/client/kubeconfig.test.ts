import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadKubeconfig } from './kubeconfig.ts'

const CONFIG = `
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c
  cluster:
    server: https://127.0.0.1:6443
    certificate-authority: ca.pem
- name: inline
  cluster:
    server: https://10.0.0.1
    certificate-authority-data: ${Buffer.from('INLINE CA').toString('base64')}
users:
- name: u
  user:
    client-certificate: cert.pem
    client-key-data: ${Buffer.from('KEY').toString('base64')}
- name: t
  user: {tokenFile: token}
contexts:
- name: one
  context: {cluster: c, user: u, namespace: team}
- name: two
  context: {cluster: inline, user: t}
- name: broken
  context: {cluster: c, user: nobody}
`

test('a kubeconfig', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'k8ts-kubeconfig-'))
  t.after(() => rm(directory, { recursive: true }))
  const path = join(directory, 'config')
  await writeFile(path, CONFIG)
  await writeFile(join(directory, 'ca.pem'), 'CA')
  await writeFile(join(directory, 'cert.pem'), 'CERT')

  await t.test('the current context, with files beside it and data within it', async () => {
    const { server, ca, cert, key, namespace } = await loadKubeconfig(path)
    assert.deepEqual(
      { server, ca, cert, key, namespace },
      { server: 'https://127.0.0.1:6443', ca: 'CA', cert: 'CERT', key: 'KEY', namespace: 'team' },
    )
  })
  await t.test('another context', async () => {
    const { ca, tokenFile } = await loadKubeconfig(path, 'two')
    assert.equal(ca, 'INLINE CA')
    assert.equal(tokenFile, join(directory, 'token'))
  })
  await t.test('what is missing is named', async () => {
    await assert.rejects(loadKubeconfig(path, 'three'), /context "three" does not exist/)
    await assert.rejects(loadKubeconfig(path, 'broken'), /user "nobody" does not exist/)
  })
})
