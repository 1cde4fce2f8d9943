import { posix } from 'node:path'
import { errors } from '../../api/index.ts'
import { parseJson } from '../../encoding/index.ts'

/** Where a paged list goes on. Source: k8s.io/apiserver/pkg/storage continue.go */
export interface Continuation {
  /** The revision that every page shows; -1 once that is gone and the present has to do. */
  revision: number
  /** The key after which the next page begins. */
  after: string
}

const VERSION = 'meta.k8s.io/v1'

/** As upstream's tokens: the key is relative to the list's prefix, and the next one begins with a zero byte after it. */
export const encodeContinue = ({ revision, after }: Continuation, prefix: string): string =>
  Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start: `${after.slice(prefix.length)}\0` })).toString(
    'base64url',
  )

/** Rejects with 400 when the text is no token of this server. */
export function decodeContinue(text: string, prefix: string): Continuation {
  const { v, rv, start } = read(text)
  if (v !== VERSION) throw invalid(`server does not recognize this encoded version ${v}`)
  if (rv === 0) throw invalid('incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (start === '') throw invalid('encoded start key empty (version meta.k8s.io/v1)')
  // Nobody gets out of the list's prefix.
  const path = start.replace(/^\/?/, '/')
  if (posix.normalize(path) !== path || (path !== '/' && path.endsWith('/'))) throw invalid(start)
  return { revision: rv, after: prefix + path.slice(1).replace(/\0$/, '') }
}

interface Token {
  v: string
  rv: number
  start: string
}

function read(text: string): Token {
  let value: unknown
  try {
    value = parseJson(Buffer.from(text, 'base64url')).value
  } catch (error) {
    throw invalid((error as Error).message)
  }
  if (value !== null && (typeof value !== 'object' || Array.isArray(value)))
    throw invalid(`json: cannot unmarshal ${kindOf(value)} into Go value of type storage.continueToken`)
  const { v, rv, start } = (value ?? {}) as Record<keyof Token, unknown>
  const wrong = (field: keyof Token, found: unknown, type: string) =>
    invalid(`json: cannot unmarshal ${kindOf(found)} into Go struct field continueToken.${field} of type ${type}`)
  if (typeof (v ?? '') !== 'string') throw wrong('v', v, 'string')
  if (typeof (rv ?? 0) !== 'number' || !Number.isSafeInteger(rv ?? 0)) throw wrong('rv', rv, 'int64')
  if (typeof (start ?? '') !== 'string') throw wrong('start', start, 'string')
  return { v: (v ?? '') as string, rv: (rv ?? 0) as number, start: (start ?? '') as string }
}

function kindOf(value: unknown): string {
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'number' : `number ${value}`
  return Array.isArray(value) ? 'array' : typeof value
}

const invalid = (detail: string) => errors.badRequest(`invalid continue token: continue key is not valid: ${detail}`)
