import { accessSync, constants, mkdirSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { replaceFile } from './files.ts'

/** What was written, and what each launcher starts. */
export type Launchers = Record<string, string>

/**
 * Writes `kube-apiserver`, `etcd` and `kubectl` into a directory, where harnesses that test controllers look for them
 * (KUBEBUILDER_ASSETS). `entry` is this program itself: Node, its flags and the script. `tools` is where kubectl may lie
 * when it is not on the PATH. Rejects when there is no kubectl.
 * Source: https://book.kubebuilder.io/reference/envtest
 */
export function writeEnvtest(directory: string, entry: string[], tools?: string): Launchers {
  const target = resolve(directory)
  const elsewhere = (process.env.PATH ?? '').split(delimiter).filter(path => path && resolve(path) !== target)
  const kubectl = findProgram('kubectl', tools ? [...elsewhere, tools] : elsewhere)
  if (!kubectl) throw new Error('kubectl is not on the PATH; install it first')
  const etcd = findProgram('etcd', elsewhere)
  const launchers = {
    'kube-apiserver': [...entry, 'apiserver'],
    // Without a real one, one that only lets the harness go on.
    etcd: etcd ? [etcd] : [...entry, 'etcd'],
    kubectl: [kubectl],
  }
  mkdirSync(target, { recursive: true })
  for (const [name, command] of Object.entries(launchers))
    replaceFile(join(target, name), `#!/bin/sh\nexec ${command.map(quoted).join(' ')} "$@"\n`, 0o755)
  return Object.fromEntries(Object.entries(launchers).map(([name, command]) => [join(target, name), command.join(' ')]))
}

function findProgram(name: string, directories: string[]): string | undefined {
  return directories.map(directory => join(directory, name)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`
