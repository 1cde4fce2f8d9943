import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/index.ts'
import { readJson } from './files.ts'
import { RUN_ROOT } from './layout.ts'
import { findProcess, isAlive, type ProcessId, waitUntil } from './process.ts'

/** For what all clusters of the machine share. No cluster can be called so. */
export const MACHINE = '_machine'

/** Runs `work` while no other process of this machine holds the lock of that name. A dead holder's lock is void. */
export async function withLock<T>(name: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  mkdirSync(RUN_ROOT, { recursive: true })
  const path = join(RUN_ROOT, `.${name}.lock`)
  if (!(await waitUntil(() => take(path), 120_000, clock))) {
    throw new Error(`another k8ts command has held ${path} for two minutes; see whether it still runs, then try again`)
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, JSON.stringify(findProcess(process.pid)), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const holder = readJson<ProcessId>(path)
    if (holder && !isAlive(holder)) rmSync(path, { force: true })
    return false
  }
}
