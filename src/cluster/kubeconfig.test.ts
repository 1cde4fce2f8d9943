import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { parse } from 'yaml'
import { systemClock } from '../base/index.ts'
import { ensureKubeconfigs, mergeContext, removeContext, userKubeconfig } from './kubeconfig.ts'
import { ensurePki } from './pki.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'k8ts-kubeconfig-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const ADMIN = JSON.stringify({
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': 'Y2E=' } }],
  users: [{ name: 'admin', user: { 'client-certificate-data': 'Y2VydA==', 'client-key-data': 'a2V5' } }],
})

const FOREIGN = `# my clusters
apiVersion: v1
kind: Config
preferences: {}
current-context: work
contexts:
  - name: work
    context: {cluster: work, user: me, namespace: team} # the team's
clusters:
  - name: work
    cluster:
      server: https://work.example:6443
users:
  - name: me
    user:
      exec: {apiVersion: client.authentication.k8s.io/v1, command: get-token, args: [--long-argument, "a b"]}
`

test('a missing file is made, for the owner only', async () => {
  const path = join(directory, 'new', 'config')
  await mergeContext(path, 'k8ts', ADMIN)
  const config = parse(readFileSync(path, 'utf8'))
  assert.equal(config['current-context'], 'k8ts')
  assert.deepEqual(config.contexts, [{ name: 'k8ts', context: { cluster: 'k8ts', user: 'k8ts' } }])
  assert.equal(config.clusters[0].cluster.server, 'https://127.0.0.1:6443')
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('foreign entries and comments stay, and come back untouched', async () => {
  const path = join(directory, 'config')
  writeFileSync(path, FOREIGN)
  await mergeContext(path, 'k8ts', ADMIN)
  const merged = readFileSync(path, 'utf8')
  for (const text of ['# my clusters', "# the team's", 'https://work.example:6443', 'get-token']) {
    assert.ok(merged.includes(text), text)
  }
  const config = parse(merged)
  assert.equal(config['current-context'], 'k8ts')
  assert.deepEqual(
    config.contexts.map((context: { name: string }) => context.name),
    ['work', 'k8ts'],
  )
  await removeContext(path, 'k8ts')
  const rest = parse(readFileSync(path, 'utf8'))
  assert.deepEqual(rest, { ...parse(FOREIGN), 'current-context': '' })
})

test('merging twice changes nothing', async () => {
  const path = join(directory, 'config')
  writeFileSync(path, FOREIGN)
  await mergeContext(path, 'k8ts', ADMIN)
  const once = readFileSync(path, 'utf8')
  await mergeContext(path, 'k8ts', ADMIN)
  assert.equal(readFileSync(path, 'utf8'), once)
})

test('lists that are null, as kubectl leaves them, are filled', async () => {
  const path = join(directory, 'config')
  writeFileSync(path, 'apiVersion: v1\nkind: Config\nclusters: null\ncontexts: []\nusers:\n')
  await mergeContext(path, 'k8ts', ADMIN)
  const config = parse(readFileSync(path, 'utf8'))
  assert.deepEqual([config.clusters.length, config.contexts.length, config.users.length], [1, 1, 1])
})

test('a symbolic link stays one', async () => {
  const target = join(directory, 'target')
  writeFileSync(target, FOREIGN)
  symlinkSync(target, join(directory, 'config'))
  await mergeContext(join(directory, 'config'), 'k8ts', ADMIN)
  assert.match(readFileSync(target, 'utf8'), /k8ts/)
})

test('another context stays current when ours is removed', async () => {
  const path = join(directory, 'config')
  await mergeContext(path, 'k8ts', ADMIN)
  writeFileSync(path, readFileSync(path, 'utf8').replace('current-context: k8ts', 'current-context: work'))
  await removeContext(path, 'k8ts')
  assert.equal(parse(readFileSync(path, 'utf8'))['current-context'], 'work')
})

test('a file that is locked or broken is left alone', async () => {
  const path = join(directory, 'config')
  writeFileSync(path, 'clusters: [')
  await assert.rejects(mergeContext(path, 'k8ts', ADMIN), /not valid YAML/)
  writeFileSync(`${path}.lock`, '')
  await assert.rejects(mergeContext(path, 'k8ts', ADMIN), /config\.lock exists/)
  assert.equal(readFileSync(path, 'utf8'), 'clusters: [')
})

test("the user's file is found as kubectl finds it", () => {
  const [a, b] = [join(directory, 'a'), join(directory, 'b')]
  const HOME = directory
  assert.equal(userKubeconfig('/x', { HOME, KUBECONFIG: a }), '/x')
  assert.equal(userKubeconfig(undefined, { HOME }), join(directory, '.kube', 'config'))
  assert.equal(userKubeconfig(undefined, { HOME, KUBECONFIG: `${a}:${b}` }), b)
  writeFileSync(a, '')
  assert.equal(userKubeconfig(undefined, { HOME, KUBECONFIG: `${a}:${b}` }), a)
})

test('a component keeps its client certificate until the authority changes', async () => {
  const options = (pki: string) => ({
    directory: join(directory, pki),
    nodeName: 'node-1',
    nodeIp: '192.0.2.7',
    serviceIp: '10.96.0.1',
    domain: 'cluster.local',
    clock: systemClock,
  })
  const ensure = async (pki: string, server: string) => {
    const { authority } = await ensurePki(options(pki))
    const kubeconfigs = join(directory, 'kubeconfig')
    await ensureKubeconfigs({ directory: kubeconfigs, clusterName: 'k8ts', nodeName: 'node-1', server, authority })
    return parse(readFileSync(join(kubeconfigs, 'kubelet.conf'), 'utf8'))
  }
  const first = await ensure('pki', 'https://127.0.0.1:6443')
  const moved = await ensure('pki', 'https://127.0.0.1:6444')
  assert.deepEqual(moved.users, first.users)
  assert.equal(moved.clusters[0].cluster.server, 'https://127.0.0.1:6444')
  const renewed = await ensure('pki-2', 'https://127.0.0.1:6444')
  assert.notDeepEqual(renewed.users, first.users)
  const certificate = Buffer.from(renewed.users[0].user['client-certificate-data'], 'base64')
  const subject = execFileSync('openssl', ['x509', '-noout', '-subject'], { input: certificate, encoding: 'utf8' })
  assert.match(subject, /O = system:nodes, CN = system:node:node-1/)
})
