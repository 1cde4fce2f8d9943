import { spawn } from 'node:child_process'

/** Runs a program to its end and gives its standard output; rejects with what it wrote to standard error. */
export type RunCommand = (program: string, args: string[], input?: string) => Promise<string>

const TIMEOUT = 30_000

/** `RunCommand` on this machine; a program that takes longer than 30 s is killed. */
export const runCommand: RunCommand = (program, args, input) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', timeout: TIMEOUT, killSignal: 'SIGKILL' })
    const output: Buffer[] = []
    const complaint: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => complaint.push(chunk))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(output).toString())
      const reason = Buffer.concat(complaint).toString().trim() || `ended with ${signal ?? `status ${code}`}`
      reject(new Error(`${program} ${args.join(' ')}: ${reason}`))
    })
    // A program that ends before it has read everything closes the pipe; its status says why.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
