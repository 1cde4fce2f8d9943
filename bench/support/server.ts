/** Servers to measure, each as a process of its own, on one core where `taskset` is to be had. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createTestPki } from '../../test/support/pki.ts'
import type { Instructions, Served } from './server-process.ts'

export interface Server {
  port: number
  pid: number
  ca: string
  /** Of a client that may do everything. */
  cert: string
  key: string
}

const PROGRAM = join(import.meta.dirname, 'server-process.ts')
/** As a cluster starts its API server. */
const FLAGS = ['--max-semi-space-size=4']
const pki = await createTestPki()
const admin = await pki.identity('kubernetes-admin', ['system:masters'])

export async function startServer(what: Served, stack: AsyncDisposableStack): Promise<Server> {
  const pinned = existsSync('/usr/bin/taskset') ? ['taskset', '-c', '0'] : []
  const [command = '', ...args] = [...pinned, process.execPath, ...FLAGS, PROGRAM]
  const { ca, serving, tokens } = pki
  const instructions: Instructions = { what, ca, serving, tokens }
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  stack.defer(async () => {
    child.kill()
    await exit
  })
  child.stdin.end(JSON.stringify(instructions))
  const [port] = await Promise.race([once(createInterface(child.stdout), 'line'), exit.then(failed)])
  return { port: Number(port), pid: child.pid!, ca, ...admin }
}

function failed(): never {
  throw new Error('the server to measure did not start')
}

/** One whole answer, through Node's own client. Rejects unless it is success. */
export function fetchOnce(server: Server, method: string, path: string, body?: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json' }
    const sent = request({ ...server, host: '127.0.0.1', method, path, headers, agent: false }, async response => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const answer = Buffer.concat(chunks)
      if (response.statusCode! < 300) resolve(answer)
      else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
