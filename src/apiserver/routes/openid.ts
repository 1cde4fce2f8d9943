import { jwks, type VerifyingKey } from '../authn/keys.ts'
import type { Handler } from '../pipeline/context.ts'
import { json } from '../pipeline/respond.ts'
import { getOnly } from './get-only.ts'

const JWKS = 'application/jwk-set+json'
/** Keys change rarely. */
const KEPT = { 'Cache-Control': 'public, max-age=3600' }

/**
 * What others need to verify service-account tokens.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
export function openidRoutes(
  { issuer, jwksUri }: { issuer: string; jwksUri?: string },
  keys: VerifyingKey[],
  address: () => string,
): Record<string, Handler> {
  return {
    '/.well-known/openid-configuration': getOnly(['application/json'], () =>
      json(
        200,
        {
          issuer,
          jwks_uri: jwksUri ?? `${address()}/openid/v1/jwks`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))],
        },
        KEPT,
      ),
    ),
    '/openid/v1/jwks': getOnly([JWKS], () => ({
      status: 200,
      body: Buffer.from(JSON.stringify(jwks(keys))),
      type: JWKS,
      headers: KEPT,
    })),
  }
}
