import { jwks, type VerifyingKey } from '../authn/keys.ts'
import type { Handler } from '../pipeline/context.ts'
import { json } from '../pipeline/respond.ts'

/**
 * What others need to verify service-account tokens.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
export function openidRoutes(issuer: string, keys: VerifyingKey[], address: () => string): Record<string, Handler> {
  return {
    '/.well-known/openid-configuration': () =>
      json(200, {
        issuer,
        jwks_uri: `${address()}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))],
      }),
    '/openid/v1/jwks': () => ({ ...json(200, jwks(keys)), type: 'application/jwk-set+json' }),
  }
}
