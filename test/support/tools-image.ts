import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { imageArchive, type TarEntry } from '../../src/cluster/archive.ts'

/** An image with busybox and this machine's own curl and dig: real clients, in a pod. */
export const TOOLS = 'k8ts.local/tools:v1'

const PROGRAMS = ['/usr/bin/curl', '/usr/bin/dig']

/** Writes a docker archive with the image, for `k8ts image import`. */
export function writeToolsImage(file: string): void {
  const libraries = new Set(PROGRAMS.flatMap(program => librariesOf(program)))
  const files = [...PROGRAMS, ...libraries]
  const folders = new Set(['bin/', 'etc/', 'tmp/', ...files.flatMap(foldersOf)])
  const layer: TarEntry[] = [
    ...[...folders].sort().map(path => ({ path })),
    ...files.map(path => ({ path: path.slice(1), content: readFileSync(path), mode: 0o755 })),
    { path: 'bin/busybox', content: readFileSync('/bin/busybox'), mode: 0o755 },
    { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
    ...['sh', 'sleep', 'cat', 'sed'].map(name => ({ path: `bin/${name}`, link: 'busybox' })),
  ]
  const config = { Cmd: ['sh'], Env: ['PATH=/bin:/usr/bin'] }
  writeFileSync(file, imageArchive([{ name: TOOLS, config, layer }]))
}

/** The shared libraries that the loader would map, and the loader itself. */
function librariesOf(program: string): string[] {
  const lines = execFileSync('ldd', [program], { encoding: 'utf8' })
  return [...lines.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
}

/** `usr/`, `usr/bin/` of `/usr/bin/dig`. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1)
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`)
}
