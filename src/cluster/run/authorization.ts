import { readFileSync } from 'node:fs'
import type { AuthorizerConfig, WebhookConfig } from '../../apiserver/index.ts'
import { loadKubeconfig } from '../../client/index.ts'

/** The flags of kube-apiserver about authorization, in camel case. */
export interface AuthorizationFlags {
  authorizationMode?: string[]
  authorizationPolicyFile?: string
  authorizationConfig?: string
  authorizationWebhookConfigFile?: string
  authorizationWebhookVersion?: string
  /** Milliseconds. */
  authorizationWebhookCacheAuthorizedTtl?: number
  authorizationWebhookCacheUnauthorizedTtl?: number
}

type Simple = Exclude<AuthorizerConfig['type'], 'ABAC' | 'Webhook'>

const SIMPLE = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC']
const MODES = [...SIMPLE, 'ABAC', 'Webhook']
/** Milliseconds. */
const AUTHORIZED_TTL = 300_000
const UNAUTHORIZED_TTL = 30_000
const WEBHOOK_TIMEOUT = 30_000
const API_VERSION = /^apiserver\.config\.k8s\.io\/v1(alpha1|beta1)?$/

/**
 * Who decides what somebody may do. Rejects in upstream's words when the flags do not go together.
 * Source: k8s.io/kubernetes/pkg/kubeapiserver/options/authorization.go
 */
export async function authorizersOf(flags: AuthorizationFlags): Promise<AuthorizerConfig[]> {
  if (flags.authorizationConfig) return fromFile(flags.authorizationConfig, flags)
  const modes = flags.authorizationMode ?? ['AlwaysAllow']
  check(modes, flags)
  return Promise.all(modes.map(mode => ofMode(mode, flags)))
}

async function ofMode(mode: string, flags: AuthorizationFlags): Promise<AuthorizerConfig> {
  if (mode === 'ABAC') return { type: 'ABAC', policy: readFileSync(flags.authorizationPolicyFile!, 'utf8') }
  if (mode !== 'Webhook') return { type: mode as Simple }
  return {
    type: 'Webhook',
    webhook: {
      ...(await connection(flags.authorizationWebhookConfigFile!)),
      version: version(flags.authorizationWebhookVersion ?? 'v1beta1'),
      timeout: WEBHOOK_TIMEOUT,
      authorizedTtl: flags.authorizationWebhookCacheAuthorizedTtl ?? AUTHORIZED_TTL,
      unauthorizedTtl: flags.authorizationWebhookCacheUnauthorizedTtl ?? UNAUTHORIZED_TTL,
      failurePolicy: 'NoOpinion',
    },
  }
}

function check(modes: string[], flags: AuthorizationFlags): void {
  const problems = modes.flatMap(mode => [
    ...(MODES.includes(mode) ? [] : [`authorization-mode ${JSON.stringify(mode)} is not a valid mode`]),
    ...(mode === 'ABAC' && !flags.authorizationPolicyFile
      ? [`authorization-mode ABAC's authorization policy file not passed`]
      : []),
    ...(mode === 'Webhook' && !flags.authorizationWebhookConfigFile
      ? [`authorization-mode Webhook's authorization config file not passed`]
      : []),
  ])
  if (flags.authorizationPolicyFile && !modes.includes('ABAC'))
    problems.push('cannot specify --authorization-policy-file without mode ABAC')
  if (flags.authorizationWebhookConfigFile && !modes.includes('Webhook'))
    problems.push('cannot specify --authorization-webhook-config-file without mode Webhook')
  if (new Set(modes).size !== modes.length) {
    const listed = modes.map(mode => JSON.stringify(mode)).join(' ')
    problems.push(`authorization-mode [${listed}] has mode specified more than once`)
  }
  if (problems.length) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`)
}

interface Configuration {
  apiVersion?: string
  kind?: string
  authorizers?: { type: string; name?: string; webhook?: WebhookSection }[]
}

interface WebhookSection {
  timeout?: string
  authorizedTTL?: string
  cacheAuthorizedRequests?: boolean
  unauthorizedTTL?: string
  cacheUnauthorizedRequests?: boolean
  subjectAccessReviewVersion?: string
  failurePolicy?: string
  connectionInfo?: { type?: string; kubeConfigFile?: string }
  matchConditions?: { expression: string }[]
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#using-configuration-file-for-authorization */
async function fromFile(file: string, flags: AuthorizationFlags): Promise<AuthorizerConfig[]> {
  if (flags.authorizationMode || flags.authorizationWebhookConfigFile || flags.authorizationWebhookVersion)
    throw new Error(
      '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
    )
  const { parse } = await import('yaml')
  const { apiVersion, kind, authorizers } = parse(readFileSync(file, 'utf8')) as Configuration
  if (kind !== 'AuthorizationConfiguration' || !API_VERSION.test(apiVersion ?? ''))
    throw new Error(`${file}: must be an AuthorizationConfiguration of apiserver.config.k8s.io/v1`)
  if (!authorizers?.length)
    throw new Error('authorizers: Required value: at least one authorization mode must be defined')
  return Promise.all(
    authorizers.map(({ type, webhook }, index) => ofSection(type, webhook, `authorizers[${index}]`, flags)),
  )
}

async function ofSection(
  type: string,
  webhook: WebhookSection | undefined,
  path: string,
  flags: AuthorizationFlags,
): Promise<AuthorizerConfig> {
  if (!MODES.includes(type))
    throw new Error(
      `${path}.type: Unsupported value: ${JSON.stringify(type)}: supported values: "ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"`,
    )
  if (type !== 'Webhook') return ofMode(type, flags)
  if (!webhook) throw new Error(`${path}.webhook: Required value: required when type=Webhook`)
  const { connectionInfo, failurePolicy, subjectAccessReviewVersion, timeout } = webhook
  if (!timeout) throw new Error(`${path}.webhook.timeout: Required value`)
  if (failurePolicy !== 'NoOpinion' && failurePolicy !== 'Deny')
    throw new Error(`${path}.webhook.failurePolicy: Required value`)
  if (connectionInfo?.type !== 'KubeConfigFile' || !connectionInfo.kubeConfigFile)
    throw new Error(`${path}.webhook.connectionInfo.kubeConfigFile: Required value`)
  const { cacheAuthorizedRequests = true, cacheUnauthorizedRequests = true } = webhook
  return {
    type: 'Webhook',
    webhook: {
      ...(await connection(connectionInfo.kubeConfigFile)),
      version: version(subjectAccessReviewVersion ?? 'v1'),
      timeout: milliseconds(timeout),
      authorizedTtl: cacheAuthorizedRequests ? milliseconds(webhook.authorizedTTL, AUTHORIZED_TTL) : 0,
      unauthorizedTtl: cacheUnauthorizedRequests ? milliseconds(webhook.unauthorizedTTL, UNAUTHORIZED_TTL) : 0,
      failurePolicy,
      matchConditions: webhook.matchConditions?.map(({ expression }) => expression),
    },
  }
}

function version(text: string): WebhookConfig['version'] {
  if (text === 'v1' || text === 'v1beta1') return text
  throw new Error(`unsupported SubjectAccessReview version ${JSON.stringify(text)}: use v1 or v1beta1`)
}

export async function connection(
  file: string,
): Promise<Pick<WebhookConfig, 'url' | 'ca' | 'cert' | 'key' | 'token' | 'insecure'>> {
  const { server, ca, cert, key, token, insecureSkipVerify } = await loadKubeconfig(file)
  return { url: server, ca, cert, key, token, insecure: insecureSkipVerify }
}

const UNITS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Of a duration as Go writes it: `1m30s`. */
function milliseconds(text: string | undefined, otherwise = 0): number {
  if (text === undefined) return otherwise
  if (text === '0') return 0
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) throw new Error(`invalid duration ${JSON.stringify(text)}`)
  return [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * UNITS[unit!]!,
    0,
  )
}
