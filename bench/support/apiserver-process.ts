/** A server to measure, as a process of its own: prints where it listens as one line of JSON, and stops at SIGTERM. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

interface Running {
  port: number
  ca: string
  cert: string
  key: string
  stop(): Promise<void>
}

async function startApi(): Promise<Running> {
  const { startTestApiServer } = await import('../../test/support/apiserver.ts')
  const server = await startTestApiServer()
  return { port: server.port, ca: server.ca, ...server.admin, stop: server.stop }
}

/** Answers every request with the bytes that came on its standard input. */
async function startBare(): Promise<Running> {
  const { createTestPki } = await import('../../test/support/pki.ts')
  const body = await buffer(process.stdin)
  const pki = await createTestPki()
  const server = createServer({ ...pki.serving, ca: pki.ca, requestCert: true }, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    ca: pki.ca,
    ...(await pki.identity('kubernetes-admin', ['system:masters'])),
    stop: async () => void server.closeAllConnections(),
  }
}

const running = await (process.argv[2] === 'bare' ? startBare() : startApi())
process.on('SIGTERM', () => void running.stop().then(() => process.exit(0)))
const { port, ca, cert, key } = running
console.log(JSON.stringify({ port, ca, cert, key }))
