import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface ProjectedFile {
  data: Buffer
  mode: number
  uid?: number
}

/** Files by their path inside the volume. */
export type Payload = Map<string, ProjectedFile>

const DATA = '..data'
const NEXT = '..data_tmp'

/**
 * Makes the volume hold exactly these files, all at once for whoever reads: the files lie in a folder of their own,
 * to which `..data` points, and what users see are links through `..data`. True when something changed.
 * Source: pkg/volume/util/atomic_writer.go
 */
export async function writeAtomically(
  volume: string,
  payload: Payload,
  stamp: string,
  fsGroup?: number,
): Promise<boolean> {
  const current = await readlink(join(volume, DATA)).catch(() => undefined)
  if (current && (await holds(join(volume, current), payload))) return false
  const folder = `..${stamp}`
  await writeFiles(join(volume, folder), payload, fsGroup)
  await rm(join(volume, NEXT), { force: true })
  await symlink(folder, join(volume, NEXT))
  await rename(join(volume, NEXT), join(volume, DATA))
  const visible = new Set(Array.from(payload.keys(), path => path.split('/')[0]!))
  for (const name of visible) await link(volume, name)
  for (const name of await readdir(volume))
    if (!name.startsWith('..') && !visible.has(name)) await rm(join(volume, name), { recursive: true, force: true })
  if (current && current !== folder) await rm(join(volume, current), { recursive: true, force: true })
  return true
}

/** A file of the volume may not lead out of it. */
export function checkPath(path: string): void {
  if (path === '' || path.startsWith('/')) throw new Error(`invalid path: must be relative path: ${path}`)
  const parts = path.split('/')
  if (parts.includes('..')) throw new Error(`invalid path: must not contain '..': ${path}`)
  if (parts[0]!.startsWith('..')) throw new Error(`invalid path: must not start with '..': ${path}`)
}

async function writeFiles(folder: string, payload: Payload, fsGroup: number | undefined): Promise<void> {
  await mkdir(folder, { mode: 0o755 })
  await chmod(folder, 0o755)
  const folders = new Set([folder])
  for (const [path, { data, mode, uid }] of payload) {
    checkPath(path)
    const file = join(folder, path)
    for (let parent = dirname(file); !folders.has(parent); parent = dirname(parent)) folders.add(parent)
    await mkdir(dirname(file), { recursive: true, mode: 0o755 })
    await writeFile(file, data, { mode })
    // The process's umask took part of the mode away.
    await chmod(file, fsGroup === undefined ? mode : mode | 0o440)
    if (uid !== undefined || fsGroup !== undefined) await chown(file, uid ?? 0, fsGroup ?? 0)
  }
  if (fsGroup === undefined) return
  for (const parent of folders) {
    await chown(parent, 0, fsGroup)
    await chmod(parent, 0o2755)
  }
}

async function link(volume: string, name: string): Promise<void> {
  const path = join(volume, name)
  if (await lstat(path).catch(() => undefined)) return
  await symlink(join(DATA, name), path)
}

async function holds(folder: string, payload: Payload): Promise<boolean> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  if (files.filter(entry => entry.isFile()).length !== payload.size) return false
  for (const [path, { data }] of payload) {
    const found = await readFile(join(folder, path)).catch(() => undefined)
    if (!found?.equals(data)) return false
  }
  return true
}
