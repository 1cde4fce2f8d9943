import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import { type ApiServer, type ApiServerOptions, startApiServer } from '../../src/apiserver/index.ts'
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts'
import { openLmdb, type Store } from '../../src/store/index.ts'
import { type Credentials, createTestPki, type TestPki } from './pki.ts'

export interface TestApiServer {
  /** `https://127.0.0.1:PORT` */
  url: string
  port: number
  /** The authority of the server's certificate and of its clients', PEM. */
  ca: string
  /** Of `system:masters`. */
  admin: Credentials
  pki: TestPki
  store: Store
  /** A client certificate for somebody else. */
  identity(name: string, groups?: string[]): Promise<Credentials>
  /** Another server of the same identity and, unless the options say otherwise, the same data. */
  another(options?: Partial<ApiServerOptions>): Promise<ApiServer>
  /** Stops the server and deletes its store, unless that was given. */
  stop(): Promise<void>
}

export const ISSUER = 'https://kubernetes.default.svc.cluster.local'

/** A real API server on a free port of this machine, with an authority and a store of its own. */
export async function startTestApiServer(
  options: Partial<ApiServerOptions> = {},
  given?: TestPki,
): Promise<TestApiServer> {
  const pki = given ?? (await createTestPki())
  const path = await mkdtemp(join(tmpdir(), 'k8ts-apiserver-'))
  const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
  const store = options.store ?? (await openLmdb({ path, ...parts }))
  const serve = (more: Partial<ApiServerOptions> = {}): Promise<ApiServer> =>
    startApiServer({
      store,
      host: '127.0.0.1',
      port: 0,
      advertiseAddress: '127.0.0.1',
      tls: pki.serving,
      clientCa: pki.ca,
      serviceAccount: { issuer: ISSUER, ...pki.tokens },
      serviceClusterIpRange: '10.96.0.0/16',
      serviceNodePortRange: '30000-32767',
      ...parts,
      ...options,
      ...more,
    })
  const server = await serve()
  return {
    url: server.url,
    port: server.port,
    ca: pki.ca,
    admin: await pki.identity('kubernetes-admin', ['system:masters']),
    pki,
    store,
    identity: pki.identity,
    another: serve,
    async stop() {
      await server.stop()
      if (!options.store) await store.close()
      await rm(path, { recursive: true, force: true })
    },
  }
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  bytes: Buffer
  text: string
  /** The body as JSON; throws when it is not. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever came
  json: any
}

export interface CallOptions {
  /** Texts and bytes are sent as they are, any other object as JSON. */
  body?: object | string
  /** Content-Type. Default: application/json */
  type?: string
  headers?: Record<string, string>
  /** Default: the administrator. `null` sends no certificate. */
  as?: Credentials | null
}

export type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>

/** Plain HTTPS to the server, to see exactly what it answers. */
export function caller({ port, ca, admin }: TestApiServer): Call {
  const agent = new Agent({ keepAlive: true })
  return (method, path, { body, type = 'application/json', headers = {}, as = admin } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, ca, ...as, method, path, headers, agent }, async response => {
        const content = await buffer(response).catch(reject)
        if (content === undefined) return
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          bytes: content,
          text: content.toString(),
          get json() {
            return JSON.parse(content.toString())
          },
        })
      })
      sent.on('error', reject)
      if (body === undefined) return void sent.end()
      const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
      sent.setHeader('Content-Type', type)
      // Node sends none by itself with a DELETE.
      sent.setHeader('Content-Length', Buffer.byteLength(bytes))
      sent.end(bytes)
    })
}

export interface TestWatch {
  status: number
  /** The next event; rejects when the watch ends first. */
  next(): Promise<{
    type: string
    object: {
      kind: string
      metadata: Record<string, never> & { name: string; resourceVersion: string }
      [field: string]: unknown
    }
  }>
  /** Resolves when the server ends the watch. */
  ended: Promise<void>
  close(): void
}

/** A watch, line by line. */
export function watcher({
  port,
  ca,
  admin,
}: TestApiServer): (path: string, headers?: Record<string, string>) => Promise<TestWatch> {
  return (path, headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, ca, ...admin, path, headers, agent: false }, response => {
        const lines = createInterface(response)[Symbol.asyncIterator]()
        resolve({
          status: response.statusCode!,
          async next() {
            const { value, done } = await lines.next()
            if (done) throw new Error('the watch has ended')
            return JSON.parse(value)
          },
          ended: new Promise(done => response.once('close', done)),
          close: () => sent.destroy(),
        })
      })
      sent.on('error', reject)
      sent.end()
    })
}

/** A pod that needs nothing but its namespace's service account. */
export const podNamed = (
  name: string,
  rest: { labels?: Record<string, string>; annotations?: Record<string, string>; finalizers?: string[] } = {},
) => ({
  metadata: { name, ...rest },
  spec: { containers: [{ name: 'main', image: 'k8ts.local/demo:latest' }] },
})

/** Makes the service account that pods of a namespace run as, which a controller would otherwise make. */
export const makeServiceAccount = (call: Call, namespace = 'default') =>
  call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { body: { metadata: { name: 'default' } } })
