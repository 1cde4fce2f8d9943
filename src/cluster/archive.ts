import { createHash } from 'node:crypto'

export interface TarEntry {
  /** Relative, as `bin/sh`; a directory's ends with `/`. */
  path: string
  content?: Uint8Array | string
  /** What a symbolic link points at. */
  link?: string
  fifo?: boolean
  /** Default: 0755 for a directory, else 0644. */
  mode?: number
}

const BLOCK = 512
const TYPE = { file: '0', link: '2', directory: '5', fifo: '6' }

/** A tar archive; the same entries give the same bytes. Source: POSIX.1-1988 ustar. */
export function tar(entries: TarEntry[]): Buffer {
  const blocks: Buffer[] = []
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '')
    blocks.push(header(entry, content.length), content, Buffer.alloc(-content.length & (BLOCK - 1)))
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

function header(entry: TarEntry, size: number): Buffer {
  const { path, link = '' } = entry
  if (Buffer.byteLength(path) > 100 || Buffer.byteLength(link) > 100)
    throw new Error(`${path}: too long for a tar header`)
  const type = path.endsWith('/') ? 'directory' : entry.link ? 'link' : entry.fifo ? 'fifo' : 'file'
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  block.write(path, 0)
  octal(entry.mode ?? (type === 'directory' ? 0o755 : 0o644), 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write('        ', 148)
  block.write(TYPE[type], 156)
  block.write(link, 157)
  block.write('ustar\x0000', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

export interface ImageConfig {
  Entrypoint?: string[]
  Cmd?: string[]
  Env?: string[]
  WorkingDir?: string
  ExposedPorts?: Record<string, object>
  StopSignal?: string
}

export interface Image {
  /** With its tag, as `k8ts.local/demo:latest`. */
  name: string
  config: ImageConfig
  layer: TarEntry[]
}

const ARCHITECTURE: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', ia32: '386' }

/**
 * Images of one layer each, in the archive that `docker save` writes.
 * Source: https://github.com/moby/docker-image-spec/blob/main/spec.md
 */
export function imageArchive(images: Image[]): Buffer {
  const files = new Map<string, Buffer>()
  const manifest = images.map(({ name, config, layer }) => {
    const bytes = tar(layer)
    const digest = sha256(bytes)
    const description = Buffer.from(
      JSON.stringify({
        architecture: ARCHITECTURE[process.arch] ?? process.arch,
        os: 'linux',
        created: '1970-01-01T00:00:00Z',
        config,
        rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
        history: [{ created: '1970-01-01T00:00:00Z', created_by: 'k8ts' }],
      }),
    )
    const configFile = `${sha256(description)}.json`
    const layerFile = `${digest}.tar`
    files.set(configFile, description).set(layerFile, bytes)
    return { Config: configFile, RepoTags: [name], Layers: [layerFile] }
  })
  files.set('manifest.json', Buffer.from(JSON.stringify(manifest)))
  return tar([...files].map(([path, content]) => ({ path, content })))
}

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
