import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { installTools } from '../../scripts/tools.ts'
import { eventually } from '../support/eventually.ts'
import { createTestPki, type TestPki } from '../support/pki.ts'

const CLI = join(import.meta.dirname, '../../src/cli/main.ts')

/** What controller-runtime's harness does, step by step. Source: sigs.k8s.io/controller-runtime/pkg/envtest */
describe('a harness that starts kube-apiserver and etcd', () => {
  let scratch: string
  let tools: string
  let pki: TestPki
  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'k8ts-envtest-'))
    tools = await installTools()
    pki = await createTestPki()
  })
  after(() => rm(scratch, { recursive: true, force: true }))

  /** The directory of binaries, written by a machine whose PATH is these directories. */
  async function assets(name: string, ...path: string[]): Promise<string> {
    const directory = join(scratch, name)
    const PATH = [...path, tools].join(delimiter)
    execFileSync(process.execPath, [CLI, 'envtest', directory], { env: { ...process.env, PATH } })
    return directory
  }

  /** A PATH with nothing but the shell, so that there is no etcd. */
  async function bareBones(): Promise<string> {
    const bin = join(scratch, 'bin')
    await mkdir(bin, { recursive: true })
    await symlink('/bin/sh', join(bin, 'sh')).catch(() => {})
    return bin
  }

  const starts = (name: string, path: () => Promise<string[]>) =>
    it(name, async test => {
      const bin = await assets(name.replaceAll(' ', '-'), ...(await path()))
      const [client, peer, secure] = [await freePort(), await freePort(), await freePort()]
      const etcdData = await mkdtemp(join(scratch, 'etcd-'))
      const certificates = await mkdtemp(join(scratch, 'certs-'))
      const started: ChildProcess[] = []
      test.after(() => {
        for (const child of started) child.kill('SIGKILL')
      })

      const etcdUrl = `http://127.0.0.1:${client}`
      const etcd = spawnQuietly(
        join(bin, 'etcd'),
        `--listen-peer-urls=http://127.0.0.1:${peer}`,
        `--advertise-client-urls=${etcdUrl}`,
        `--listen-client-urls=${etcdUrl}`,
        `--data-dir=${etcdData}`,
      )
      started.push(etcd)
      await eventually(async () => (await fetchText(httpRequest, `${etcdUrl}/health`)).status === 200)

      assert.doesNotMatch(execFileSync(join(bin, 'kube-apiserver'), ['--help'], { encoding: 'utf8' }), /insecure-port/)
      await writeFile(join(certificates, 'apiserver.crt'), pki.serving.cert)
      await writeFile(join(certificates, 'apiserver.key'), pki.serving.key)
      await writeFile(join(certificates, 'sa.key'), pki.tokens.signingKey)
      await writeFile(join(certificates, 'sa.crt'), pki.tokens.publicKeys[0]!)
      await writeFile(join(certificates, 'client-cert-auth-ca.crt'), pki.ca)
      const server = spawnQuietly(
        join(bin, 'kube-apiserver'),
        '--allow-privileged=true',
        '--authorization-mode=RBAC',
        '--bind-address=127.0.0.1',
        `--cert-dir=${certificates}`,
        `--client-ca-file=${join(certificates, 'client-cert-auth-ca.crt')}`,
        '--disable-admission-plugins=ServiceAccount',
        `--etcd-servers=${etcdUrl}`,
        `--secure-port=${secure}`,
        `--service-account-issuer=https://127.0.0.1:${secure}/`,
        `--service-account-key-file=${join(certificates, 'sa.crt')}`,
        `--service-account-signing-key-file=${join(certificates, 'sa.key')}`,
        '--service-cluster-ip-range=10.0.0.0/24',
      )
      started.push(server)
      const url = `https://127.0.0.1:${secure}`
      const admin = { ...(await pki.identity('admin', ['system:masters'])), ca: pki.ca, agent: false as const }
      for (const path of ['/healthz', '/readyz'])
        await eventually(async () => (await fetchText(httpsRequest, url + path, admin)).status === 200)

      const call = async (path: string, method = 'GET', body?: object) =>
        fetchText(httpsRequest, url + path, { ...admin, method }, body)
      assert.equal(JSON.parse((await call('/api/v1/namespaces/default')).body).status.phase, 'Active')
      const service = JSON.parse((await call('/api/v1/namespaces/default/services/kubernetes')).body)
      assert.equal(service.spec.clusterIP, '10.0.0.1')
      const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } }
      assert.equal(
        (await call('/api/v1/namespaces/default/pods', 'POST', pod)).status,
        201,
        'without a service account',
      )
      const other = { ...(await pki.identity('somebody')), ca: pki.ca, agent: false as const }
      assert.equal((await fetchText(httpsRequest, `${url}/api/v1/namespaces`, other)).status, 403)

      for (const child of [server, etcd]) {
        child.kill('SIGTERM')
        const [code, signal] = await once(child, 'exit')
        assert.ok(code === 0 || signal === 'SIGTERM', `ended with ${code ?? signal}`)
      }
      const left = await readdir(certificates)
      assert.deepEqual(
        left.filter(file => file.startsWith('k8ts-store-')),
        [],
        'the store is gone with the server',
      )
    })

  starts('starts with the stand-in for etcd', async () => [await bareBones()])
  starts('starts with a real etcd where there is one', async () => {
    const path = (process.env.PATH ?? '').split(delimiter)
    return existsSync('/usr/bin/etcd') ? ['/usr/bin', ...path] : path
  })

  it('makes its own serving certificate, and knows who shows a token of the file', async test => {
    const bin = await assets('self-signed', await bareBones())
    const certificates = join(scratch, 'made')
    const tokens = join(scratch, 'tokens.csv')
    await writeFile(tokens, 'secret-1,jane,1,"system:masters"\nsecret-2,joe,2\n')
    const secure = await freePort()
    const server = spawnQuietly(
      join(bin, 'kube-apiserver'),
      '--etcd_servers=http://127.0.0.1:1',
      `--cert-dir=${certificates}`,
      `--secure-port=${secure}`,
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      '--feature-gates=AllAlpha=true',
      '--v=4',
    )
    test.after(() => server.kill('SIGKILL'))
    const log = logOf(server)
    const url = `https://127.0.0.1:${secure}`
    await eventually(() => existsSync(join(certificates, 'apiserver.crt')))
    const ask = (path: string, token: string) =>
      fetchText(httpsRequest, url + path, {
        rejectUnauthorized: false,
        agent: false,
        headers: { authorization: `Bearer ${token}` },
      })
    await eventually(async () => (await ask('/readyz', 'secret-1')).status === 200)
    assert.equal((await ask('/api/v1/namespaces', 'secret-1')).status, 200)
    assert.match((await ask('/api/v1/namespaces', 'secret-2')).body, /User \\"joe\\" cannot list/)
    assert.equal((await ask('/api/v1/namespaces', 'secret-3')).status, 401)
    await eventually(() => assert.match(log(), /"flag":"--feature-gates=AllAlpha".*flag has no effect/))
    server.kill('SIGTERM')
    await once(server, 'exit')
  })

  it('says which flag it does not know', async () => {
    const bin = await assets('unknown-flag', await bareBones())
    const server = spawnQuietly(join(bin, 'kube-apiserver'), '--no-such-flag')
    const log = logOf(server)
    const [code] = await once(server, 'exit')
    assert.equal(code, 1)
    assert.match(log(), /^Error: unknown flag: --no-such-flag$/m)
  })
})

function spawnQuietly(program: string, ...args: string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  child.stderr!.resume()
  return child
}

/** What the process has written to stderr so far. */
function logOf(child: ChildProcess): () => string {
  let log = ''
  child.stderr!.setEncoding('utf8').on('data', chunk => {
    log += chunk
  })
  return () => log
}

/** As the harness picks it: free now, and hopefully still when it is used. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function fetchText(
  request: typeof httpsRequest | typeof httpRequest,
  url: string,
  options: RequestOptions = {},
  body?: object,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, async response =>
      resolve({ status: response.statusCode!, body: await text(response) }),
    )
    sent.on('error', reject)
    if (body) sent.setHeader('Content-Type', 'application/json')
    sent.end(body && JSON.stringify(body))
  })
}
