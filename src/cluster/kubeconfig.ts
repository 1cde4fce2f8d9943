import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { Document, YAMLMap, YAMLSeq } from 'yaml'
import { readOptional, replaceFile } from './files.ts'
import type { Authority, KeyPair, Subject } from './pki.ts'

/** Who each file of the kubeconfig directory speaks as. */
export const identities = (nodeName: string): Record<string, Subject> => ({
  admin: { commonName: 'kubernetes-admin', organization: 'system:masters' },
  'controller-manager': { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
  kubelet: { commonName: `system:node:${nodeName}`, organization: 'system:nodes' },
  proxy: { commonName: 'system:kube-proxy' },
  network: { commonName: 'system:k8ts-network' },
  dns: { commonName: 'system:k8ts-dns' },
})

export interface KubeconfigOptions {
  directory: string
  clusterName: string
  nodeName: string
  server: string
  authority: Authority
}

/** One kubeconfig for each identity, `NAME.conf`; a client certificate that is still good is kept. */
export async function ensureKubeconfigs(options: KubeconfigOptions): Promise<void> {
  const { directory, nodeName, authority } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  await Promise.all(
    Object.entries(identities(nodeName)).map(async ([file, subject]) => {
      const path = join(directory, `${file}.conf`)
      const present = readOptional(path)
      const pair = await authority.client(subject, present ? readClient(present) : undefined)
      const content = kubeconfig(options.clusterName, file, options.server, authority.pair.cert, pair)
      if (content !== present) replaceFile(path, content)
    }),
  )
}

/** JSON is YAML, and needs no library to read back. */
function kubeconfig(cluster: string, user: string, server: string, ca: string, client: KeyPair): string {
  const context = `${user}@${cluster}`
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { 'certificate-authority-data': base64(ca), server } }],
    users: [
      { name: user, user: { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) } },
    ],
    contexts: [{ name: context, context: { cluster, user } }],
    'current-context': context,
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

function readClient(text: string): KeyPair | undefined {
  try {
    const user = JSON.parse(text).users[0].user
    return { cert: fromBase64(user['client-certificate-data']), key: fromBase64(user['client-key-data']) }
  } catch {
    return undefined
  }
}

/**
 * The user's kubeconfig file that a new cluster goes to, as kubectl chooses it: the flag, else of the files in KUBECONFIG
 * the first that exists or the last, else ~/.kube/config.
 */
export function userKubeconfig(flag?: string, environment = process.env): string {
  if (flag) return resolve(flag)
  const files = (environment.KUBECONFIG ?? '').split(delimiter).filter(Boolean)
  const file = files.find(path => existsSync(path)) ?? files.at(-1)
  return file ? resolve(file) : join(environment.HOME || homedir(), '.kube', 'config')
}

/** Adds or renews the cluster, user and context called `name`, copied from the admin's kubeconfig, and makes it current. */
export async function mergeContext(path: string, name: string, adminKubeconfig: string): Promise<void> {
  const admin = JSON.parse(adminKubeconfig)
  await edit(path, document => {
    if (!document.has('apiVersion')) document.set('apiVersion', 'v1')
    if (!document.has('kind')) document.set('kind', 'Config')
    setNamed(document, 'clusters', { name, cluster: admin.clusters[0].cluster })
    setNamed(document, 'users', { name, user: admin.users[0].user })
    setNamed(document, 'contexts', { name, context: { cluster: name, user: name } })
    document.set('current-context', name)
  })
}

/** Takes out what `mergeContext` put in; a file that has no such context stays as it is. */
export async function removeContext(path: string, name: string): Promise<void> {
  if (!readOptional(path)) return
  await edit(path, document => {
    for (const list of ['clusters', 'users', 'contexts']) removeNamed(document, list, name)
    if (document.get('current-context') === name) document.set('current-context', '')
  })
}

/** Edits the document in place, so that foreign entries, their order and comments stay. */
async function edit(path: string, change: (document: Document) => void): Promise<void> {
  const { parseDocument } = await import('yaml')
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const unlock = lock(path)
  try {
    const before = readOptional(path) ?? ''
    const document = parseDocument(before)
    if (document.errors[0]) throw new Error(`${path} is not valid YAML: ${document.errors[0].message}`)
    if (document.contents === null) document.contents = document.createNode({}) as never
    change(document as Document)
    const after = document.toString({ lineWidth: 0 })
    if (after !== before) replaceFile(path, after)
  } finally {
    unlock()
  }
}

/** The lock that kubectl takes around a change of its configuration. */
function lock(path: string): () => void {
  const file = `${path}.lock`
  try {
    writeFileSync(file, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`${file} exists: another program is changing ${path}; if none is, remove the lock and try again`)
  }
  return () => rmSync(file, { force: true })
}

function setNamed(document: Document, list: string, entry: { name: string; [field: string]: unknown }): void {
  const node = document.createNode(entry)
  const items = namedItems(document, list)
  const index = items.findIndex(item => item.get('name') === entry.name)
  if (index >= 0) items[index] = node as unknown as YAMLMap
  else if (items.length > 0) document.addIn([list], node)
  else document.set(list, document.createNode([entry]))
}

function removeNamed(document: Document, list: string, name: string): void {
  const index = namedItems(document, list).findIndex(item => item.get('name') === name)
  if (index >= 0) document.deleteIn([list, index])
}

/** The list's own items: to change it is to change the document. Empty when the list is missing or null. */
function namedItems(document: Document, list: string): YAMLMap[] {
  return ((document.get(list) as YAMLSeq | null | undefined)?.items ?? []) as YAMLMap[]
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const fromBase64 = (text: string) => Buffer.from(text, 'base64').toString()
