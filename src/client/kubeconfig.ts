import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'

/** Where the API server is and who asks: what `connect` needs of a kubeconfig. */
export interface Kubeconfig {
  /** `https://127.0.0.1:6443` */
  server: string
  /** PEM. Without it, the machine's own roots. */
  ca?: string
  /** PEM of the client certificate and its key. */
  cert?: string
  key?: string
  token?: string
  /** Read anew every minute: mounted tokens are replaced before they expire. */
  tokenFile?: string
  serverName?: string
  insecureSkipVerify?: boolean
  /** The context's namespace. */
  namespace?: string
}

interface Cluster {
  server: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'tls-server-name'?: string
  'insecure-skip-tls-verify'?: boolean
}

interface User {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
}

interface Context {
  cluster: string
  user: string
  namespace?: string
}

interface File {
  'current-context'?: string
  clusters?: { name: string; cluster: Cluster }[]
  users?: { name: string; user: User }[]
  contexts?: { name: string; context: Context }[]
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Reads one context of a kubeconfig, by default the current one of `$KUBECONFIG` (several files: the first that has a
 * name wins) or of ~/.kube/config. Paths in a file are relative to it. Throws a plain Error that says what is missing.
 * Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export async function loadKubeconfig(path?: string, contextName?: string): Promise<Kubeconfig> {
  const paths = path ? [path] : defaultPaths()
  const files = await Promise.all(paths.map(readConfig))
  const name = contextName ?? files.find(file => file['current-context'])?.['current-context']
  if (!name) throw new Error(`${paths.join(', ')}: no current context is set`)
  const { context } = find(
    'context',
    files.map(file => file.contexts),
    name,
  )
  const { cluster } = find(
    'cluster',
    files.map(file => file.clusters),
    context.cluster,
  )
  const { user } = find(
    'user',
    files.map(file => file.users),
    context.user,
  )
  return {
    ...(await clusterOf(cluster)),
    ...(await userOf(user)),
    namespace: context.namespace,
  }
}

/** The identity of the pod that this process runs in. Throws when it does not run in one. */
export async function inClusterConfig(): Promise<Kubeconfig> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
  if (!host || !port) {
    throw new Error(
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    )
  }
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: await readFile(join(SERVICE_ACCOUNT, 'ca.crt'), 'utf8'),
    tokenFile: join(SERVICE_ACCOUNT, 'token'),
    namespace: (await readFile(join(SERVICE_ACCOUNT, 'namespace'), 'utf8')).trim(),
  }
}

const defaultPaths = (): string[] => {
  const listed = process.env.KUBECONFIG?.split(delimiter).filter(Boolean)
  return listed?.length ? listed : [join(homedir(), '.kube', 'config')]
}

async function readConfig(path: string): Promise<File> {
  const text = await readFile(path, 'utf8')
  // k8ts writes its components' kubeconfigs as JSON, which is YAML too, to spare them the YAML library.
  const file = (text.startsWith('{') ? JSON.parse(text) : (await import('yaml')).parse(text)) as File
  if (typeof file !== 'object' || file === null) throw new Error(`${path}: not a kubeconfig`)
  const base = dirname(resolve(path))
  for (const { cluster } of file.clusters ?? []) absolute(cluster, base, ['certificate-authority'])
  for (const { user } of file.users ?? []) absolute(user, base, ['client-certificate', 'client-key', 'tokenFile'])
  return file
}

function absolute<T extends object>(entry: T | undefined, base: string, fields: (keyof T & string)[]): void {
  for (const field of fields) {
    const path = entry?.[field]
    if (entry && typeof path === 'string') Object.assign(entry, { [field]: resolve(base, path) })
  }
}

function find<T extends { name: string }>(what: string, entries: (T[] | undefined)[], name: string): T {
  for (const some of entries) {
    const found = some?.find(entry => entry.name === name)
    if (found) return found
  }
  throw new Error(`kubeconfig: ${what} "${name}" does not exist`)
}

async function clusterOf(
  cluster: Cluster,
): Promise<Pick<Kubeconfig, 'server' | 'ca' | 'serverName' | 'insecureSkipVerify'>> {
  return {
    server: cluster.server,
    ca: await inlineOrFile(cluster['certificate-authority-data'], cluster['certificate-authority']),
    serverName: cluster['tls-server-name'],
    insecureSkipVerify: cluster['insecure-skip-tls-verify'],
  }
}

async function userOf(user: User): Promise<Pick<Kubeconfig, 'cert' | 'key' | 'token' | 'tokenFile'>> {
  return {
    cert: await inlineOrFile(user['client-certificate-data'], user['client-certificate']),
    key: await inlineOrFile(user['client-key-data'], user['client-key']),
    token: user.token,
    tokenFile: user.tokenFile,
  }
}

async function inlineOrFile(data: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (data) return Buffer.from(data, 'base64').toString('utf8')
  return path ? await readFile(path, 'utf8') : undefined
}
