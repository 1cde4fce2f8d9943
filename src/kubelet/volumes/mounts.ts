import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { chmod, mkdir, open, readFile, readlink, realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const TIMEOUT = 30_000

/** The mount points at and below a folder, deepest first. */
export async function mountsBelow(folder: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  return table
    .split('\n')
    .map(line => unescaped(line.split(' ')[4] ?? ''))
    .filter(point => point === folder || point.startsWith(`${folder}/`))
    .reverse()
}

/** The kernel writes blanks and backslashes in octal. */
const unescaped = (path: string) =>
  path.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))

export async function mountTmpfs(folder: string, sizeBytes?: number): Promise<void> {
  if ((await mountsBelow(folder)).includes(folder)) return
  const options = sizeBytes ? ['-o', `size=${sizeBytes}`] : []
  await run('mount', ['-t', 'tmpfs', ...options, 'tmpfs', folder], { timeout: TIMEOUT })
}

/** Takes away everything mounted at and below the folder. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const point of await mountsBelow(folder)) await run('umount', [point], { timeout: TIMEOUT })
}

const O_PATH = 0o10000000

/**
 * Mounts one place inside a volume for one container. The container's own processes may change the volume meanwhile,
 * so the place is opened, seen to lie inside, and mounted by its descriptor: no link can lead elsewhere any more.
 * Source: pkg/volume/util/subpath/subpath_linux.go
 */
export async function bindSubPath(volume: string, subPath: string, target: string): Promise<void> {
  const root = await realpath(volume)
  const wanted = join(root, normalize(subPath))
  if (!inside(wanted, root)) throw new Error(`subPath ${subPath} leads out of the volume`)
  await makeInside(root, wanted)
  const place = await realpath(wanted)
  if (!inside(place, root)) throw new Error(`subpath "${place}" not within volume path "${root}"`)
  const handle = await open(place, O_PATH | constants.O_NOFOLLOW)
  try {
    const opened = `/proc/${process.pid}/fd/${handle.fd}`
    if (!inside(await readlink(opened), root)) throw new Error(`subpath "${place}" not within volume path "${root}"`)
    const folder = (await stat(opened)).isDirectory()
    await mkdir(folder ? target : dirname(target), { recursive: true })
    if (!folder) await writeFile(target, '', { flag: 'a' })
    if ((await mountsBelow(target)).includes(target)) await run('umount', [target], { timeout: TIMEOUT })
    await run('mount', ['--no-canonicalize', '--bind', opened, target], { timeout: TIMEOUT })
  } finally {
    await handle.close()
  }
}

const inside = (path: string, root: string) => path === root || path.startsWith(`${root}/`)

/** Makes the missing folders; the deepest one that exists must lie inside. */
async function makeInside(root: string, wanted: string): Promise<void> {
  let existing = wanted
  while (!(await stat(existing).catch(() => undefined))) existing = dirname(existing)
  if (!inside(await realpath(existing), root)) throw new Error(`subpath "${wanted}" not within volume path "${root}"`)
  if (existing === wanted) return
  const { mode } = await stat(root)
  await mkdir(wanted, { recursive: true })
  // As open as the volume itself, whatever this process's umask.
  for (let made = wanted; made !== existing; made = dirname(made)) await chmod(made, mode & 0o7777)
}
