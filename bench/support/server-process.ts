/**
 * A server to measure, as a process of its own. Reads what to be as JSON from its standard input, prints its port when it
 * is ready, and stops at SIGTERM.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, json } from 'node:stream/consumers'
import { open } from 'lmdb'
import { startApiServer } from '../../src/apiserver/index.ts'
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts'
import { openLmdb } from '../../src/store/index.ts'

export interface Instructions {
  what: Served
  ca: string
  serving: { cert: string; key: string }
  tokens: { signingKey: string; publicKeys: string[] }
}

export type Served =
  /** `path` is of a store that is there already; without it the server has a new one of its own. */
  | { kind: 'apiserver'; path?: string }
  /** Answers every request with the same bytes. */
  | { kind: 'bytes'; base64: string }
  /** Puts every body into LMDB, and answers with it once it is on the disk. */
  | { kind: 'lmdb' }
  /** Passes every body that is posted on to all who have sent a GET. */
  | { kind: 'broadcast' }

interface Running {
  port: number
  stop(): Promise<void>
}

async function startApi({ ca, serving, tokens }: Instructions, path: string): Promise<Running> {
  const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
  const store = await openLmdb({ path, ...parts })
  const server = await startApiServer({
    store,
    host: '127.0.0.1',
    port: 0,
    advertiseAddress: '127.0.0.1',
    tls: serving,
    clientCa: ca,
    serviceAccount: { issuer: 'https://kubernetes.default.svc.cluster.local', ...tokens },
    serviceClusterIpRange: '10.96.0.0/16',
    serviceNodePortRange: '30000-32767',
    ...parts,
  })
  const stop = async () => {
    await server.stop()
    await store.close()
  }
  return { port: server.port, stop }
}

async function startBare({ ca, serving }: Instructions, listener: RequestListener): Promise<Running> {
  const server = createServer({ ...serving, ca, requestCert: true }, listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, stop: async () => server.closeAllConnections() }
}

function bytesListener(bytes: Buffer): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes.length })
    response.end(bytes)
  }
}

function lmdbListener(path: string): RequestListener {
  const database = open<Buffer, number>({ path, encoding: 'binary', overlappingSync: false })
  let key = 0
  return async (request, response) => {
    const body = await buffer(request)
    await database.put(key++, body)
    response.writeHead(201, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    response.end(body)
  }
}

/** What arrives in one turn of the event loop goes out together, as it does where writers share a flush. */
function broadcastListener(): RequestListener {
  const watchers: ServerResponse[] = []
  let posted: Buffer[] = []
  const passOn = () => {
    const bytes = Buffer.concat(posted)
    posted = []
    for (const watcher of watchers) watcher.write(bytes)
  }
  return async (request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.flushHeaders()
      watchers.push(response)
      return
    }
    const body = await buffer(request)
    if (posted.push(body) === 1) setImmediate(passOn)
    response.writeHead(201, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    response.end(body)
  }
}

function startServer(instructions: Instructions, path: string): Promise<Running> {
  const { what } = instructions
  switch (what.kind) {
    case 'apiserver':
      return startApi(instructions, what.path ?? path)
    case 'lmdb':
      return startBare(instructions, lmdbListener(path))
    case 'broadcast':
      return startBare(instructions, broadcastListener())
    case 'bytes':
      return startBare(instructions, bytesListener(Buffer.from(what.base64, 'base64')))
  }
}

const instructions = (await json(process.stdin)) as Instructions
const path = await mkdtemp(join(tmpdir(), 'k8ts-bench-'))
const running = await startServer(instructions, path)
process.on('SIGTERM', async () => {
  await running.stop()
  await rm(path, { recursive: true })
  process.exit(0)
})
console.log(running.port)
