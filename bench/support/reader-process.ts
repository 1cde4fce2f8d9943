/**
 * A client that reads a list again and again, as a process of its own. Reads which as JSON from its standard input, prints every
 * now and then how many bytes have come so far, and ends with a failure unless every answer is whole and a success.
 */
import { request } from 'node:https'
import { json } from 'node:stream/consumers'
import type { Server } from './server.ts'

export interface Reading {
  server: Server
  path: string
}

const { server, path } = (await json(process.stdin)) as Reading
/** Milliseconds between two reports: whoever reads them has other things to do. */
const INTERVAL = 50
let bytes = 0

/** Takes an answer and keeps nothing of it. */
function read(): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...server, host: '127.0.0.1', path, agent: false }, response => {
      if (response.statusCode !== 200) reject(new Error(`GET ${path}: ${response.statusCode}`))
      response.on('error', reject)
      response.on('end', resolve)
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

process.on('SIGTERM', () => process.exit(0))
setInterval(() => bytes > 0 && process.stdout.write(`${bytes}\n`), INTERVAL)
for (;;) await read()
