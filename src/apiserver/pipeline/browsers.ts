import type { Context } from './context.ts'

export interface BrowserOptions {
  /** Of pages that may ask. Source: kube-apiserver --cors-allowed-origins */
  allowedOrigins?: RegExp[]
  /** What `Strict-Transport-Security` says. Source: kube-apiserver --strict-transport-security-directives */
  strictTransport?: string
}

const CORS = {
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
  'Access-Control-Allow-Headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  'Access-Control-Expose-Headers': 'Date',
  'Access-Control-Allow-Credentials': 'true',
}

/** Headers by which a browser knows what a page may do. Source: k8s.io/apiserver/pkg/server/filters cors.go, hsts.go */
export function browserHeaders({ allowedOrigins = [], strictTransport }: BrowserOptions) {
  const always = strictTransport ? { 'Strict-Transport-Security': strictTransport } : undefined
  return ({ headers: { origin } }: Context['request']): Record<string, string> | undefined => {
    if (!origin || !allowedOrigins.some(allowed => allowed.test(origin))) return always
    return { ...always, 'Access-Control-Allow-Origin': origin, ...CORS }
  }
}

/** Whether a browser only asks whether its page may ask. */
export const isPreflight = ({ request: { method }, headers }: Context): boolean =>
  method === 'OPTIONS' && headers?.['Access-Control-Allow-Origin'] !== undefined
