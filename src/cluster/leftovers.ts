import { readdirSync, readFileSync } from 'node:fs'
import type { Clock } from '../base/index.ts'
import { readJson } from './files.ts'
import type { Layout } from './layout.ts'
import { findProcess, isAlive, type ProcessId, stopProcess } from './process.ts'
import type { State } from './supervisor.ts'

const GRACE = 10_000

export const readState = (paths: Layout): State | undefined => readJson<State>(paths.state)

/** The supervisor, if it runs. */
export function runningSupervisor(paths: Layout): ProcessId | undefined {
  const supervisor = readState(paths)?.supervisor
  return supervisor && isAlive(supervisor) ? supervisor : undefined
}

/** Ends what a supervisor that died has left running. Pods go on: their shims belong to nobody. */
export async function stopLeftovers(paths: Layout, clock: Clock): Promise<void> {
  const programs = Object.values(readState(paths)?.programs ?? {})
  const processes = programs.map(program => program.process).filter(process => process !== undefined)
  await Promise.all(processes.map(process => stopProcess(process, GRACE, clock)))
}

/** The processes that hold this cluster's containers. */
export function findShims(paths: Layout): ProcessId[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .filter(pid => {
      const args = commandLine(pid)
      return args[0]?.includes('containerd-shim') && args.includes(paths.socket)
    })
    .map(pid => findProcess(Number(pid)))
    .filter(process => process !== undefined)
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
