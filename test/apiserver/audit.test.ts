import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { type Call, caller, startTestApiServer, type TestApiServer, watcher } from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, nonResourceURLs: ["/healthz*"]}
- {level: Metadata, omitStages: [RequestReceived], resources: [{resources: [secrets]}]}
- {level: Request, omitManagedFields: true, resources: [{resources: [services]}]}
- {level: RequestResponse}
`

// biome-ignore lint/suspicious/noExplicitAny: events are looked at as they were written
type Event = any

/** Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ */
describe('the audit log', () => {
  let directory: string
  let server: TestApiServer
  let call: Call
  let service: Server
  const received: Event[] = []

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'k8ts-audit-'))
    service = createServer(async (request, response) => {
      received.push(...JSON.parse(await text(request)).items)
      response.end()
    })
    await new Promise<void>(resolve => service.listen(0, '127.0.0.1', resolve))
    server = await startTestApiServer({
      audit: {
        policy: { content: Buffer.from(POLICY), file: 'policy.yaml' },
        log: {
          path: join(directory, 'audit.log'),
          format: 'json',
          maxSize: 0.02,
          maxBackups: 2,
          maxAge: 0,
          compress: false,
        },
        webhook: {
          connection: { url: `http://127.0.0.1:${(service.address() as AddressInfo).port}/events` },
          initialBackoff: 10,
          batch: { bufferSize: 1000, maxSize: 10, maxWait: 20 },
        },
      },
    })
    call = caller(server)
  })
  after(async () => {
    await server.stop()
    service.close()
    await rm(directory, { recursive: true, force: true })
  })

  /** The events of the request with this answer, once its last one has come. */
  const eventsOf = ({ headers }: { headers: Record<string, unknown> }, last = 'ResponseComplete') =>
    eventually(() => {
      const found = received.filter(({ auditID }) => auditID === headers['audit-id'])
      assert.ok(found.some(({ stage }) => stage === last))
      return found
    })

  it('says who did what with which object, and what came of it', async () => {
    const body = { metadata: { name: 'noted' }, data: { a: '<b>' } }
    const answer = await call('POST', `${MAPS}?fieldManager=x`, { body, headers: { 'User-Agent': 'tester/1' } })
    const [first, last] = await eventsOf(answer)
    assert.deepEqual(
      [first.stage, last.stage, last.verb, last.requestURI],
      ['RequestReceived', 'ResponseComplete', 'create', `${MAPS}?fieldManager=x`],
    )
    assert.equal(last.user.username, 'kubernetes-admin')
    assert.deepEqual([last.sourceIPs, last.userAgent], [['127.0.0.1'], 'tester/1'])
    assert.deepEqual(first.objectRef, { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' })
    assert.equal(last.objectRef.name, 'noted')
    assert.deepEqual(last.responseStatus, { metadata: {}, code: 201 })
    assert.deepEqual(last.requestObject, { kind: 'ConfigMap', apiVersion: 'v1', ...body })
    assert.deepEqual(last.responseObject, answer.json)
    assert.deepEqual(last.annotations, {
      'authorization.k8s.io/decision': 'allow',
      'authorization.k8s.io/reason': '',
    })
    assert.match(last.requestReceivedTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  })

  it('keeps to the level and the stages of the policy', async () => {
    const [secret, ...none] = await eventsOf(
      await call('POST', '/api/v1/namespaces/default/secrets', { body: { metadata: { name: 's' } } }),
    )
    assert.equal(none.length, 0)
    assert.deepEqual([secret.level, secret.requestObject, secret.objectRef.name], ['Metadata', undefined, 's'])
    const made = { metadata: { name: 'v', managedFields: [] }, spec: { ports: [{ port: 80 }] } }
    const [, web] = await eventsOf(await call('POST', '/api/v1/namespaces/default/services', { body: made }))
    assert.equal(web.requestObject.spec.type, 'ClusterIP', 'with its defaults')
    assert.equal(web.requestObject.metadata.managedFields, undefined)
    assert.equal(web.responseObject, undefined)
    const unheard = await call('GET', '/healthz')
    await eventsOf(await call('GET', '/version'))
    assert.ok(!received.some(({ auditID }) => auditID === unheard.headers['audit-id']))
  })

  it('knows patches, deletes, protobuf and failures', async () => {
    const patch = { data: { b: 'c' } }
    const type = 'application/merge-patch+json'
    const [, patched] = await eventsOf(await call('PATCH', `${MAPS}/noted`, { body: patch, type }))
    assert.deepEqual(patched.requestObject, patch)
    const accept = 'application/vnd.kubernetes.protobuf'
    const [, read] = await eventsOf(await call('GET', `${MAPS}/noted`, { headers: { accept } }))
    assert.deepEqual(read.responseObject, (await call('GET', `${MAPS}/noted`)).json)
    const [, missed] = await eventsOf(await call('GET', `${MAPS}/none`))
    assert.deepEqual([missed.responseStatus.reason, missed.responseStatus.code], ['NotFound', 404])
    const [, gone] = await eventsOf(
      await call('DELETE', `${MAPS}/noted`, { body: { propagationPolicy: 'Background' } }),
    )
    assert.equal(gone.requestObject.propagationPolicy, 'Background')
    assert.equal(gone.responseStatus.status, 'Success')
    const [refused] = await eventsOf(
      await call('GET', MAPS, { as: null, headers: { authorization: 'Bearer x', 'Audit-Id': 'mine' } }),
      'ResponseStarted',
    )
    assert.deepEqual([refused.user, refused.responseStatus.code, refused.auditID], [{}, 401, 'mine'])
  })

  it('says whom somebody acts as', async () => {
    const headers = { 'Impersonate-User': 'jane', 'Impersonate-Group': 'dev' }
    const [, event] = await eventsOf(await call('GET', MAPS, { headers }))
    assert.equal(event.user.username, 'kubernetes-admin')
    assert.deepEqual(event.impersonatedUser, { username: 'jane', groups: ['dev', 'system:authenticated'] })
    assert.deepEqual(event.authenticationMetadata, { impersonationConstraint: 'impersonate:user-info' })
    assert.equal(event.annotations['authorization.k8s.io/decision'], 'forbid')
  })

  it('says when a watch begins and when it ends', async () => {
    const watch = await watcher(server)(`${MAPS}?watch=true`, { 'Audit-Id': 'watching' })
    const stages = () => received.filter(({ auditID }) => auditID === 'watching').map(({ stage }) => stage)
    await eventually(() => assert.deepEqual(stages(), ['RequestReceived', 'ResponseStarted']))
    watch.close()
    await eventually(() => assert.deepEqual(stages(), ['RequestReceived', 'ResponseStarted', 'ResponseComplete']))
  })

  it('keeps a line each in files, of which old ones go', async () => {
    const filler = 'x'.repeat(9000)
    for (let round = 0; round < 8; round++)
      await eventsOf(await call('POST', `${MAPS}?dryRun=All`, { body: { metadata: { name: 'l' }, data: { filler } } }))
    const files = await eventually(async () => {
      const names = (await readdir(directory)).sort()
      assert.ok(names.length === 3, `${names}`)
      return names
    })
    assert.match(files[0]!, /^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/)
    const lines = (await readFile(join(directory, files[0]!), 'utf8')).trim().split('\n')
    for (const line of lines) assert.equal(JSON.parse(line).kind, 'Event')
  })
})
