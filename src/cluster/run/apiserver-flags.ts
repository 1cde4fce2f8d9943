import type { AuthorizationFlags } from './authorization.ts'

/** The flags of kube-apiserver that mean something here, in camel case. Durations are milliseconds. */
export interface ApiServerFlags extends AuthorizationFlags, AuditFlags, AuthenticationFlags, ServingFlags {
  dataDir?: string
  etcdServers?: string[]
  advertiseAddress?: string
  externalHostname?: string
  endpointReconcilerType?: string
  eventTtl?: number
  serviceClusterIpRange: string
  serviceNodePortRange: string
  kubeletCertificateAuthority?: string
  kubeletClientCertificate?: string
  kubeletClientKey?: string
  proxyClientCertFile?: string
  proxyClientKeyFile?: string
  enableAdmissionPlugins?: string[]
  disableAdmissionPlugins?: string[]
  admissionControlConfigFile?: string
  defaultNotReadyTolerationSeconds?: number
  defaultUnreachableTolerationSeconds?: number
  runtimeConfig?: Record<string, string>
  allowPrivileged?: boolean
  shutdownDelayDuration?: number
  livezGracePeriod?: number
  loggingFormat?: string
  /** Further flags that were given, as `--name`. */
  withoutEffect?: string[]
}

export interface ServingFlags {
  bindAddress: string
  securePort: number
  certDir?: string
  tlsCertFile?: string
  tlsPrivateKeyFile?: string
  tlsSniCertKey?: string[]
  tlsMinVersion?: string
  tlsCipherSuites?: string[]
  disableHttp2Serving?: boolean
  http2MaxStreamsPerConnection?: number
  goawayChance?: number
  corsAllowedOrigins?: string[]
  strictTransportSecurityDirectives?: string[]
  requestTimeout?: number
  /** Seconds. */
  minRequestTimeout?: number
  maxRequestsInflight?: number
  maxMutatingRequestsInflight?: number
  enablePriorityAndFairness?: boolean
}

export interface AuthenticationFlags {
  anonymousAuth?: boolean
  apiAudiences?: string[]
  clientCaFile?: string
  tokenAuthFile?: string
  enableBootstrapTokenAuth?: boolean
  serviceAccountIssuer?: string[]
  serviceAccountKeyFile?: string[]
  serviceAccountSigningKeyFile?: string
  serviceAccountLookup?: boolean
  serviceAccountExtendTokenExpiration?: boolean
  serviceAccountMaxTokenExpiration?: number
  serviceAccountJwksUri?: string
  requestheaderClientCaFile?: string
  requestheaderAllowedNames?: string[]
  requestheaderUsernameHeaders?: string[]
  requestheaderUidHeaders?: string[]
  requestheaderGroupHeaders?: string[]
  requestheaderExtraHeadersPrefix?: string[]
  oidcIssuerUrl?: string
  oidcClientId?: string
  oidcUsernameClaim?: string
  oidcUsernamePrefix?: string
  oidcGroupsClaim?: string
  oidcGroupsPrefix?: string
  oidcRequiredClaim?: Record<string, string>
  oidcCaFile?: string
  oidcSigningAlgs?: string[]
  authenticationTokenWebhookConfigFile?: string
  authenticationTokenWebhookVersion?: string
  authenticationTokenWebhookCacheTtl?: number
}

export interface AuditFlags {
  auditPolicyFile?: string
  auditLogPath?: string
  auditLogFormat?: string
  auditLogMaxage?: number
  auditLogMaxbackup?: number
  auditLogMaxsize?: number
  auditLogCompress?: boolean
  auditLogMode?: string
  auditLogBatchBufferSize?: number
  auditLogBatchMaxSize?: number
  auditLogBatchMaxWait?: number
  auditLogBatchThrottleEnable?: boolean
  auditLogBatchThrottleQps?: number
  auditLogBatchThrottleBurst?: number
  auditLogTruncateEnabled?: boolean
  auditLogTruncateMaxEventSize?: number
  auditWebhookConfigFile?: string
  auditWebhookInitialBackoff?: number
  auditWebhookMode?: string
  auditWebhookBatchBufferSize?: number
  auditWebhookBatchMaxSize?: number
  auditWebhookBatchMaxWait?: number
  auditWebhookBatchThrottleEnable?: boolean
  auditWebhookBatchThrottleQps?: number
  auditWebhookBatchThrottleBurst?: number
  auditWebhookTruncateEnabled?: boolean
  auditWebhookTruncateMaxEventSize?: number
}
