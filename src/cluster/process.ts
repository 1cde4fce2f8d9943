import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Clock } from '../base/index.ts'

/** A process, told apart from a later one that got the same number. */
export interface ProcessId {
  pid: number
  /** Clock ticks between the machine's start and the process's. */
  startTime: number
}

/** The process that has this number now, or undefined. A zombie is no process. */
export function findProcess(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in brackets, which may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { pid, startTime: Number(fields[19]) }
  } catch {
    return undefined
  }
}

export const isAlive = (id: ProcessId): boolean => findProcess(id.pid)?.startTime === id.startTime

/** Sends the signal unless the process is gone or its number has passed to another. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(id)) return
  try {
    process.kill(id.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Asks the process to end, insists after `grace` milliseconds, and resolves when it is gone. */
export async function stopProcess(id: ProcessId, grace: number, clock: Clock): Promise<void> {
  signalProcess(id, 'SIGTERM')
  if (await waitUntil(() => !isAlive(id), grace, clock)) return
  signalProcess(id, 'SIGKILL')
  await waitUntil(() => !isAlive(id), 5_000, clock)
}

/** Looks every 20 ms; false when `timeout` milliseconds have passed in vain. */
export async function waitUntil(
  done: () => boolean | Promise<boolean>,
  timeout: number,
  clock: Clock,
): Promise<boolean> {
  const deadline = clock.monotonic() + timeout
  while (!(await done())) {
    if (clock.monotonic() >= deadline) return false
    // The clock's own timers do not keep the process alive, and here there may be nothing else that does.
    const awake = setTimeout(() => {}, 1_000)
    await clock.sleep(20)
    clearTimeout(awake)
  }
  return true
}

/** Runs a program to its end and returns what it printed. Rejects with its complaint; nothing runs longer than `timeout`. */
export async function run(program: string, args: string[], timeout = 60_000): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout, maxBuffer: 64 << 20 })
    return stdout
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string }
    throw new Error(`${program} ${args.join(' ')}: ${stderr.trim() || message}`)
  }
}
