import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { json as readJson } from 'node:stream/consumers'
import type { admission } from '../../src/api/index.ts'
import type { Call } from './apiserver.ts'
import type { Credentials } from './pki.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look at whatever came
export type Review = Omit<admission.AdmissionRequest, 'object' | 'oldObject'> & { object: any; oldObject: any }
export type Verdict = Partial<admission.AdmissionResponse> & { patches?: object[] }

/** A program that API servers ask; each test says what it answers. */
export interface WebhookServer {
  port: number
  /** Everything it was asked, oldest first. */
  asked: { path: string; review: Review }[]
  /** What it answers; replaced by tests. A bare response is handed over to be written to. */
  answer(request: Review, path: string): Verdict | undefined | Promise<Verdict | undefined>
  /** Set: answers the request itself. */
  raw?: (request: IncomingMessage, response: ServerResponse) => void
  /** How many connections were made. */
  connections: number
  stop(): Promise<void>
}

export async function startWebhookServer(tls: Credentials): Promise<WebhookServer> {
  const server = createServer(tls, (request, response) => void handle(request, response))
  const hook: WebhookServer = {
    port: 0,
    asked: [],
    answer: () => ({ allowed: true }),
    connections: 0,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  async function handle(request: IncomingMessage, response: ServerResponse) {
    if (hook.raw) return hook.raw(request, response)
    const { request: review } = (await readJson(request)) as { request: Review }
    const path = request.url!.split('?')[0]!
    hook.asked.push({ path, review })
    const { patches, ...verdict } = (await hook.answer(review, path)) ?? { allowed: true }
    const patch = patches && {
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(patches)).toString('base64'),
    }
    response.setHeader('Content-Type', 'application/json')
    response.end(
      JSON.stringify({
        kind: 'AdmissionReview',
        apiVersion: 'admission.k8s.io/v1',
        response: { uid: review.uid, allowed: true, ...patch, ...verdict },
      }),
    )
  }
  server.on('secureConnection', () => hook.connections++)
  await new Promise<void>(resolve => server.listen(0, resolve))
  hook.port = (server.address() as AddressInfo).port
  return hook
}

/** Of this machine, as an endpoint may have it: loopback is refused. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const own = all.find(({ family, internal }) => family === 'IPv4' && !internal)
  if (!own) throw new Error('this machine has no address but loopback')
  return own.address
}

/** Makes a Service whose only endpoint is a port of this machine, on all of its addresses. */
export async function makeService(call: Call, name: string, port: number, servicePort = 443): Promise<void> {
  const ports = [{ name: 'https', port: servicePort, targetPort: port, protocol: 'TCP' }]
  await call('POST', '/api/v1/namespaces/default/services', { body: { metadata: { name }, spec: { ports } } })
  const made = await call('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    body: {
      metadata: { name, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [ownAddress()], conditions: { ready: true } }],
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    },
  })
  if (made.status !== 201) throw new Error(made.text)
}
