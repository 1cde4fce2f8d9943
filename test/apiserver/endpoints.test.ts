import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Answer, type Call, caller, startTestApiServer, type TestApiServer } from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'

/** Every method and path that the official clients of 1.36 can call. */
const ENDPOINTS = readFileSync(join(import.meta.dirname, 'endpoints.txt'), 'utf8')
  .trim()
  .split('\n')
const COVERAGE = readFileSync(join(import.meta.dirname, '../../docs/api-coverage.md'), 'utf8')

/** The custom resources that stand where the list leaves group and kind open. */
const CUSTOM = { group: 'walk.example.com', version: 'v1' }
const SCOPES = { Namespaced: 'walkers', Cluster: 'striders' }
/** A namespace and a name that nothing has: a path that is served says so, in its own words. */
const NOBODY = 'walk-nobody'

/** What a path belongs to: `core/v1`, `apps/v1`, `{group}/{version}`, or its own first segment. */
function groupOf(path: string): string {
  const [first = '', second = '', third = ''] = path.split('/').slice(1)
  if (first === 'api') return second ? `core/${second}` : 'api'
  return first === 'apis' && third ? `${second}/${third}` : first === 'apis' && second ? second : first
}

function filled(path: string): string {
  const plural = path.includes('/namespaces/') ? SCOPES.Namespaced : SCOPES.Cluster
  const values: Record<string, string> = { ...CUSTOM, plural, resource_plural: plural, path: 'deep/er', logpath: 'log' }
  return path.replace(/\{(\w+)\}/g, (_, parameter: string) => values[parameter] ?? NOBODY)
}

/** Whether some handler took the request, whatever it thought of it. */
function isServed({ status, text }: Answer): boolean {
  if (status === 405) return false
  if (status !== 404) return true
  return text.startsWith('{') && JSON.parse(text).details?.name !== undefined
}

describe('every endpoint', () => {
  let server: TestApiServer
  let call: Call
  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    for (const [scope, plural] of Object.entries(SCOPES)) await makeCustomResource(call, scope, plural)
  })
  after(() => server.stop())

  const ask = (method: string, path: string) =>
    // What is deleted here is not to be missing there.
    call(method, method === 'DELETE' ? `${filled(path)}?dryRun=All` : filled(path), {
      ...(['POST', 'PUT', 'PATCH'].includes(method) ? { body: {} } : {}),
      ...(method === 'PATCH' ? { type: 'application/merge-patch+json' } : {}),
    })

  it('is served, or docs/api-coverage.md says why it is not', async test => {
    const served = new Map<string, number>()
    const missing = new Map<string, string[]>()
    for (const endpoint of ENDPOINTS) {
      const [method, path] = endpoint.split(' ') as [string, string]
      const group = groupOf(path)
      // The answer to a HEAD has no body to tell by, and is otherwise the GET's.
      const answer = await ask(method === 'HEAD' ? 'GET' : method, path)
      if (isServed(answer)) served.set(group, (served.get(group) ?? 0) + 1)
      else missing.set(group, [...(missing.get(group) ?? []), endpoint])
      if (method === 'HEAD') assert.equal((await ask('HEAD', path)).status, answer.status, endpoint)
    }
    for (const [group, count] of served) test.diagnostic(`${group}: ${count} served`)
    const open = missing.get('{group}/{version}') ?? []
    assert.deepEqual(open, [], 'endpoints of custom resources that are not served')
    const stable = [...missing].filter(([group]) => /\/v\d+$/.test(group)).flatMap(([, endpoints]) => endpoints)
    assert.deepEqual(stable, [], 'stable endpoints that are not served')
    assert.deepEqual(
      [...missing.keys()].sort(),
      rowsOf('Not served')
        .map(([group]) => group)
        .sort(),
    )
    assert.deepEqual(
      rowsOf('Served'),
      [...served].map(([group, count]) => [group, String(count)]),
    )
  })

  it('is named by discovery with just these verbs', async () => {
    const listed = new Set(ENDPOINTS.map(endpoint => endpoint.replaceAll(/\{\w+\}/g, '{}')))
    const unknown: string[] = []
    for (const [group] of rowsOf('Served').filter(([group]) => /\/v\d+$/.test(group!))) {
      const root = group!.startsWith('core/') ? '/api/v1' : `/apis/${group}`
      const { resources } = (await call('GET', root)).json
      for (const { name, namespaced, verbs } of resources as Discovered[])
        for (const verb of verbs)
          if (!listed.has(`${METHODS[verb]} ${pathOf(root, name, namespaced, verb)}`))
            unknown.push(`${verb} ${root} ${name}`)
    }
    assert.deepEqual(unknown, [])
  })

  it('refuses what no verb stands for', async () => {
    for (const [method, path] of [
      ['OPTIONS', '/api/v1/pods'],
      ['OPTIONS', '/api/v1/namespaces/default/configmaps/x'],
      ['POST', '/api/v1/namespaces/default/configmaps/x'],
      ['PUT', '/api/v1/namespaces/default/configmaps'],
      ['PATCH', '/apis/apps/v1/namespaces/default/deployments'],
      ['DELETE', '/api/v1/namespaces'],
      ['GET', '/apis/authorization.k8s.io/v1/subjectaccessreviews'],
      ['GET', '/api/v1/namespaces/default/pods/x/eviction'],
      ['DELETE', '/api/v1/namespaces/default/pods/x/status'],
    ] as const) {
      const { status, json } = await call(method, path)
      assert.equal(status, 405, `${method} ${path}`)
      assert.equal(json.reason, 'MethodNotAllowed')
      assert.equal(json.message, 'the server does not allow this method on the requested resource')
    }
  })

  it('answers a HEAD where upstream does', async () => {
    const taken: [path: string, status: number][] = [
      ['/apis', 200],
      ['/apis/apps', 200],
      ['/healthz', 200],
      ['/', 200],
      ['/openapi/v2', 200],
      ['/nothing', 404],
      ['/api', 405],
      ['/api/v1', 405],
      ['/version', 405],
      ['/openid/v1/jwks', 405],
      ['/api/v1/namespaces', 405],
      ['/api/v1/namespaces/default', 405],
    ]
    for (const [path, status] of taken) {
      const head = await call('HEAD', path)
      assert.deepEqual([head.status, head.text], [status, ''], path)
    }
  })

  /** What kube-apiserver 1.36 answers. */
  it('says what there is not, as upstream does', async () => {
    const json = 'application/json'
    const plain = 'text/plain; charset=utf-8'
    const wrong: [method: string, path: string, status: number, type: string | undefined][] = [
      ['GET', '/nothing', 404, plain],
      ['GET', '/healthz/', 404, plain],
      ['GET', '/healthz/none', 404, plain],
      ['GET', '/apis/none', 404, plain],
      ['GET', '/apis/none/v1/things', 404, plain],
      ['GET', '/openapi/v2/', 404, plain],
      ['GET', '/openapi/v3/none', 404, undefined],
      ['GET', '/api/v2', 404, json],
      ['GET', '/apis/apps/v2', 404, json],
      ['GET', '/apis/apps/v1/things', 404, json],
      ['GET', '/api/v1/pods/x', 404, json],
      ['GET', '/api/v1/nodes/x/y', 404, json],
      ['GET', '/api/v1//namespaces/default', 404, json],
      ['POST', '/api', 405, json],
      ['POST', '/version', 405, json],
      ['POST', '/apis', 200, json],
      ['GET', '/api/v1/configmaps?timeout=abc', 400, json],
    ]
    for (const [method, path, status, type] of wrong) {
      const answer = await call(method, path)
      assert.deepEqual([answer.status, answer.headers['content-type']], [status, type], `${method} ${path}`)
    }
    const { paths } = (await call('GET', '/')).json
    for (const path of ['/api/v1', '/apis/', '/apis/apps/v1', '/healthz/ping', '/openid/v1/jwks', '/readyz/shutdown'])
      assert.ok(paths.includes(path), path)
  })
})

interface Discovered {
  name: string
  namespaced: boolean
  verbs: string[]
}

const METHODS: Record<string, string> = {
  create: 'POST',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  get: 'GET',
  list: 'GET',
  patch: 'PATCH',
  update: 'PUT',
  watch: 'GET',
}

/** Where a verb of a discovered resource is called, every parameter written `{}`. */
function pathOf(root: string, name: string, namespaced: boolean, verb: string): string {
  const [resource, subresource] = name.split('/')
  const collection = `${root}${namespaced ? '/namespaces/{}' : ''}/${resource}`
  if (subresource) return `${collection}/{}/${subresource}`
  return ['create', 'deletecollection', 'list', 'watch'].includes(verb) ? collection : `${collection}/{}`
}

/** The cells of the table under a heading of the coverage page, without their backticks; first two columns. */
function rowsOf(heading: string): string[][] {
  const section = COVERAGE.split(`## ${heading}\n`)[1]!.split('\n## ')[0]!
  return section
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line =>
      line
        .split('|')
        .slice(1, 3)
        .map(cell => cell.trim().replaceAll('`', '')),
    )
    .map(cells => (heading === 'Served' ? cells : cells.slice(0, 1)))
}

async function makeCustomResource(call: Call, scope: string, plural: string): Promise<void> {
  const { group, version } = CUSTOM
  await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: {
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope,
        names: {
          plural,
          kind: plural.replace(/^(.)(.*)s$/, (_, first: string, rest: string) => first.toUpperCase() + rest),
        },
        versions: [
          {
            name: version,
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            subresources: {
              status: {},
              scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
            },
          },
        ],
      },
    },
  })
  await eventually(async () => (await call('GET', `/apis/${group}/${version}/${plural}`)).status === 200, 5000)
}
