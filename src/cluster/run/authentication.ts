import type { KeyPair } from '../pki.ts'
import type { AuthenticationFlags } from './apiserver-flags.ts'
import { connection } from './authorization.ts'
import { readPem } from './process.ts'

const ISSUER = 'https://kubernetes.default.svc.cluster.local'
/** Milliseconds. */
const HOUR = 3_600_000
const LONGEST = 2 ** 32 * 1000
const WEBHOOK_TTL = 120_000

/** Without keys of their own, tokens are signed by the serving key. */
export function serviceAccount(flags: AuthenticationFlags, { key }: KeyPair) {
  const {
    serviceAccountSigningKeyFile: file,
    serviceAccountIssuer = [],
    serviceAccountMaxTokenExpiration: most,
  } = flags
  const signingKey = file ? readPem(file) : key
  const [issuer = ISSUER, ...furtherIssuers] = serviceAccountIssuer
  return {
    issuer,
    furtherIssuers,
    audiences: flags.apiAudiences?.length ? flags.apiAudiences : [issuer],
    lookup: flags.serviceAccountLookup,
    extend: flags.serviceAccountExtendTokenExpiration,
    ...(most ? { longest: most / 1000 } : {}),
    jwksUri: flags.serviceAccountJwksUri || undefined,
    signingKey,
    publicKeys: flags.serviceAccountKeyFile?.map(readPem) ?? [signingKey],
  }
}

export function requestHeader(flags: AuthenticationFlags) {
  if (!flags.requestheaderClientCaFile) return undefined
  return {
    ca: readPem(flags.requestheaderClientCaFile),
    allowedNames: flags.requestheaderAllowedNames ?? [],
    usernameHeaders: flags.requestheaderUsernameHeaders ?? [],
    uidHeaders: flags.requestheaderUidHeaders ?? [],
    groupHeaders: flags.requestheaderGroupHeaders ?? [],
    extraHeaderPrefixes: flags.requestheaderExtraHeadersPrefix ?? [],
  }
}

export function oidcOf(flags: AuthenticationFlags) {
  const { oidcIssuerUrl: issuer, oidcClientId: clientId, oidcCaFile } = flags
  if (!issuer || !clientId) return undefined
  return {
    issuer,
    clientId,
    usernameClaim: flags.oidcUsernameClaim,
    usernamePrefix: flags.oidcUsernamePrefix || undefined,
    groupsClaim: flags.oidcGroupsClaim || undefined,
    groupsPrefix: flags.oidcGroupsPrefix,
    requiredClaims: flags.oidcRequiredClaim,
    ...(oidcCaFile ? { ca: readPem(oidcCaFile) } : {}),
    algorithms: flags.oidcSigningAlgs,
  }
}

export async function tokenWebhook(flags: AuthenticationFlags) {
  const { authenticationTokenWebhookConfigFile: file, authenticationTokenWebhookVersion: version = 'v1beta1' } = flags
  if (!file) return undefined
  if (version !== 'v1' && version !== 'v1beta1')
    throw new Error(`unsupported v1 token review version ${JSON.stringify(version)}`)
  return {
    connection: await connection(file),
    version: version as 'v1' | 'v1beta1',
    ttl: flags.authenticationTokenWebhookCacheTtl ?? WEBHOOK_TTL,
  }
}

/** Source: k8s.io/kubernetes/pkg/kubeapiserver/options/authentication.go Validate */
export function authenticationProblems(flags: AuthenticationFlags): string[] {
  const problems: string[] = []
  const oidc = Object.keys(flags).some(name => name.startsWith('oidc'))
  if (oidc && !(flags.oidcIssuerUrl && flags.oidcClientId))
    problems.push('oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set')
  const { serviceAccountIssuer = [], serviceAccountJwksUri: uri, serviceAccountMaxTokenExpiration: most } = flags
  for (const issuer of serviceAccountIssuer)
    if (issuer.includes(':') && !URL.canParse(issuer))
      problems.push(`service-account-issuer ${JSON.stringify(issuer)} contained a ':' but was not a valid URL`)
  if (uri && !uri.startsWith('https://'))
    problems.push(`service-account-jwks-uri requires https scheme, parsed as: ${uri}`)
  if (most && (most < HOUR || most > LONGEST))
    problems.push('the service-account-max-token-expiration must be between 1 hour and 2^32 seconds')
  return problems
}
