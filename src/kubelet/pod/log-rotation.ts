import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { parseDuration, quantity } from '../../api/index.ts'
import type { Clock, Component, Logger, Timer } from '../../base/index.ts'
import type { KubeletConfiguration } from '../config.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface LogRotationOptions {
  runtime: Runtime
  config: KubeletConfiguration
  /** The containers that run, with their log files. */
  logs(): { id: string; path: string }[]
  clock: Clock
  log: Logger
}

/** Keeps containers' logs within bounds. Source: pkg/kubelet/logs/container_log_manager.go */
export function startLogRotation({ runtime, config, logs, clock, log }: LogRotationOptions): Component {
  const maxSize = quantity.value(config.containerLogMaxSize)
  const interval = parseDuration(config.containerLogMonitorInterval)
  let timer: Timer
  let running = Promise.resolve()
  const look = async () => {
    for (const { id, path } of logs()) {
      try {
        const found = await stat(path).catch(() => undefined)
        if (found && found.size > maxSize) await rotate(runtime, id, path, config.containerLogMaxFiles, clock.now())
      } catch (error) {
        log.warn({ path, error: (error as Error).message }, 'could not rotate the log of a container')
      }
    }
  }
  const schedule = () => {
    timer = clock.after(interval, () => {
      running = look().then(schedule)
    })
  }
  schedule()
  return {
    async stop() {
      timer.cancel()
      await running
      timer.cancel()
    },
  }
}

/** The log file is put aside under the time, and the runtime goes on in a new one. */
async function rotate(runtime: Runtime, id: string, path: string, maxFiles: number, now: number): Promise<void> {
  const rotated = await rotatedLogs(path)
  // The one being written and the one being put aside count too.
  for (const old of rotated.slice(0, Math.max(0, rotated.length - (maxFiles - 2)))) await rm(old, { force: true })
  for (const old of rotated) if (!old.endsWith('.gz')) await compress(old)
  const [date, time] = new Date(now)
    .toISOString()
    .replace(/[-:]|\..*/g, '')
    .split('T')
  const aside = `${path}.${date}-${time}`
  await rename(path, aside)
  try {
    await runtime.reopenContainerLog(id)
  } catch (error) {
    await rename(aside, path)
    throw error
  }
}

/** Oldest first. */
export async function rotatedLogs(path: string): Promise<string[]> {
  const folder = dirname(path)
  const names = await readdir(folder).catch(() => [])
  return names
    .filter(name => name.startsWith(`${basename(path)}.`))
    .sort()
    .map(name => join(folder, name))
}

async function compress(path: string): Promise<void> {
  // It may have been removed just now, being the oldest.
  if (!(await stat(path).catch(() => undefined))) return
  const partial = `${path}.tmp`
  await pipeline(createReadStream(path), createGzip(), createWriteStream(partial))
  await rename(partial, `${path}.gz`)
  await rm(path)
}
