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
  let token: { v?: unknown; rv?: unknown; start?: unknown } | null
  try {
    token = parseJson(Buffer.from(text, 'base64url')).value as typeof token
  } catch (error) {
    throw invalid((error as Error).message)
  }
  if (token?.v !== VERSION)
    throw invalid(`server does not recognize this encoded version ${JSON.stringify(token?.v ?? '')}`)
  const { rv, start } = token
  if (typeof rv !== 'number' || !Number.isInteger(rv) || rv === 0)
    throw invalid('incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (typeof start !== 'string' || start === '' || start.split('/').includes('..'))
    throw invalid('encoded start key empty (version meta.k8s.io/v1)')
  return { revision: rv, after: prefix + start.replace(/\0$/, '') }
}

const invalid = (detail: string) => errors.badRequest(`invalid continue token: continue key is not valid: ${detail}`)
