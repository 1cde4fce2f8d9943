import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sha256 } from './archive.ts'
import { builtInImages } from './demo-image.ts'
import { readOptional, replaceFile } from './files.ts'
import type { Layout } from './layout.ts'
import { run } from './process.ts'
import { findCluster } from './settings.ts'

export interface ClusterRef {
  name: string
  dataDir?: string
}

export interface ListedImage {
  name: string
  digest: string
  size: string
}

/** Loads a docker or OCI archive into every node of the cluster; returns the names of its images. */
export async function importImages({ name, dataDir }: ClusterRef, file: string): Promise<string[]> {
  const paths = runningCluster(name, dataDir)
  if (!existsSync(file)) throw new Error(`${file}: no such file; \`docker save -o ${file} IMAGE\` makes one`)
  return importArchive(paths, resolve(file))
}

export async function listImages({ name, dataDir }: ClusterRef): Promise<ListedImage[]> {
  const output = await ctr(runningCluster(name, dataDir), 'images', 'ls')
  const rows = output
    .trim()
    .split('\n')
    .slice(1)
    .map(line => line.split(/\s+/))
  // containerd keeps each image under its configuration's digest too.
  const named = rows.filter(([reference]) => !reference?.startsWith('sha256:'))
  return named.map(([reference = '', , digest = '', size = '', unit = '']) => ({
    name: reference,
    digest,
    size: `${size} ${unit}`,
  }))
}

/** Builds and loads the pause and demo images, unless the runtime has had the same ones before. */
export async function ensureBuiltInImages(paths: Layout): Promise<void> {
  const mark = join(paths.containerd, 'built-in-images')
  const archive = builtInImages()
  const digest = sha256(archive)
  if (readOptional(mark) === digest) return
  const file = join(paths.run, 'built-in-images.tar')
  mkdirSync(paths.run, { recursive: true })
  writeFileSync(file, archive)
  try {
    await importArchive(paths, file)
  } finally {
    rmSync(file, { force: true })
  }
  replaceFile(mark, digest)
}

async function importArchive(paths: Layout, file: string): Promise<string[]> {
  const output = await ctr(paths, 'images', 'import', file)
  return [...output.matchAll(/^unpacking (\S+)/gm)].map(match => match[1] ?? '')
}

const ctr = (paths: Layout, ...args: string[]) =>
  run('ctr', ['--address', paths.socket, '--namespace', 'k8s.io', ...args], 600_000)

function runningCluster(name: string, dataDir?: string): Layout {
  const cluster = findCluster(name, dataDir)
  if (!cluster || !existsSync(cluster.paths.socket)) {
    throw new Error(`cluster ${JSON.stringify(name)} is not running; \`k8ts up --name ${name}\` starts it`)
  }
  return cluster.paths
}
