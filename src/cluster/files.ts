import { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** A reader sees the old content or the new, never a part. A symbolic link stays one. */
export function replaceFile(path: string, content: string, mode = 0o600): void {
  const target = followLink(path)
  const fresh = `${target}.${process.pid}.tmp`
  try {
    writeFileSync(fresh, content, { mode, flush: true })
    renameSync(fresh, target)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
}

/** The file's text, or undefined when there is no such file. */
export function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The file's JSON, or undefined when it is missing or torn. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readOptional(path) ?? '') as T
  } catch {
    return undefined
  }
}

function followLink(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
