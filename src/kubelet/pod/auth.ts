import type { core } from '../../api/index.ts'
import type { RegistryAuth } from '../runtime/runtime.ts'

interface Login {
  username?: string
  password?: string
  auth?: string
  identitytoken?: string
}

/**
 * The logins in image pull secrets that fit an image, the most specific first.
 * Source: https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export function registryAuths(secrets: core.Secret[], image: string): RegistryAuth[] {
  const repository = repositoryOf(image)
  const found = secrets.flatMap(secret =>
    Object.entries(loginsOf(secret)).flatMap(([key, login]) => {
      const pattern = patternOf(key)
      return fits(pattern, repository) ? [{ pattern, auth: authOf(login, pattern) }] : []
    }),
  )
  return found.sort((a, b) => b.pattern.length - a.pattern.length).map(({ auth }) => auth)
}

function loginsOf({ type, data = {} }: core.Secret): Record<string, Login> {
  try {
    const read = (key: string) => JSON.parse(Buffer.from(data[key] ?? '', 'base64').toString())
    if (type === 'kubernetes.io/dockerconfigjson') return read('.dockerconfigjson').auths ?? {}
    if (type === 'kubernetes.io/dockercfg') return read('.dockercfg')
  } catch {
    // A secret that cannot be read is as good as none.
  }
  return {}
}

/** `docker.io/library/busybox`, whatever short form it was written in. */
function repositoryOf(image: string): string {
  const bare = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const [first, ...rest] = bare.split('/')
  if (rest.length === 0) return `docker.io/library/${bare}`
  return /[.:]|^localhost$/.test(first!) ? bare : `docker.io/${bare}`
}

const patternOf = (key: string): string =>
  key
    .replace(/^https?:\/\//, '')
    .replace(/\/v[12]\/?$/, '')
    .replace(/\/$/, '')
    .replace(/^index\.docker\.io/, 'docker.io')

/** Each part of the host name may be a glob; the path is a prefix. */
function fits(pattern: string, repository: string): boolean {
  const [host = '', ...path] = pattern.split('/')
  const [wantedHost = '', ...wantedPath] = repository.split('/')
  const parts = host.split('.')
  const wanted = wantedHost.split('.')
  if (parts.length !== wanted.length) return false
  const matches = parts.every((part, index) => glob(part).test(wanted[index]!))
  return matches && wantedPath.join('/').startsWith(path.join('/'))
}

const glob = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  )

function authOf(login: Login, pattern: string): RegistryAuth {
  const [username, ...password] = Buffer.from(login.auth ?? '', 'base64')
    .toString()
    .split(':')
  return {
    username: login.username ?? username,
    password: login.password ?? password.join(':'),
    identityToken: login.identitytoken,
    serverAddress: pattern.split('/')[0],
  }
}
