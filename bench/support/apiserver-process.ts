/**
 * A server to measure, as a process of its own. Reads what to be as JSON from its standard input, prints its port when it
 * is ready, and stops at SIGTERM.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { startApiServer } from '../../src/apiserver/index.ts'
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts'
import { openLmdb } from '../../src/store/index.ts'

export interface Instructions {
  ca: string
  serving: { cert: string; key: string }
  tokens: { signingKey: string; publicKeys: string[] }
  /** What a bare server answers every request with, in base64; absent for the API server. */
  body?: string
}

interface Running {
  port: number
  stop(): Promise<void>
}

async function startApi({ ca, serving, tokens }: Instructions): Promise<Running> {
  const path = await mkdtemp(join(tmpdir(), 'k8ts-bench-'))
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
  return {
    port: server.port,
    async stop() {
      await server.stop()
      await store.close()
      await rm(path, { recursive: true })
    },
  }
}

async function startBare({ ca, serving }: Instructions, body: Buffer): Promise<Running> {
  const server = createServer({ ...serving, ca, requestCert: true }, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, stop: async () => server.closeAllConnections() }
}

const instructions = (await json(process.stdin)) as Instructions
const { body } = instructions
const running = await (body === undefined
  ? startApi(instructions)
  : startBare(instructions, Buffer.from(body, 'base64')))
process.on('SIGTERM', () => void running.stop().then(() => process.exit(0)))
console.log(running.port)
