import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Reading } from './reader-process.ts'

const PROGRAM = join(import.meta.dirname, 'reader-process.ts')

/** A client that reads a list again and again. */
export interface Reader {
  /** Bytes that have come so far. */
  bytes(): number
  /** Leaves off in the middle, until it is to go on. */
  pause(): void
  resume(): void
  /** Rejects when any of the answers was no success, or not whole. */
  stop(): Promise<void>
}

/** Resolves when the first bytes have come. It runs beside the server to measure, and not on the core of that. */
export async function startReader(reading: Reading): Promise<Reader> {
  const cores = availableParallelism()
  const elsewhere = existsSync('/usr/bin/taskset') && cores > 1 ? ['taskset', '-c', `1-${cores - 1}`] : []
  const [command = '', ...args] = [...elsewhere, process.execPath, PROGRAM]
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  child.stdin.end(JSON.stringify(reading))
  let bytes = 0
  const lines = createInterface(child.stdout).on('line', line => {
    bytes = Number(line)
  })
  await Promise.race([once(lines, 'line'), exit.then(failed)])
  return {
    bytes: () => bytes,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGCONT')
      child.kill()
      const [code] = await exit
      if (code !== 0) failed()
    },
  }
}

function failed(): never {
  throw new Error('a list could not be read')
}
