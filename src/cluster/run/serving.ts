import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Http2Options, ServingTls } from '../../apiserver/index.ts'
import type { Clock } from '../../base/index.ts'
import { ensureServingPair, type KeyPair } from '../pki.ts'
import type { ServingFlags } from './apiserver-flags.ts'
import { readPem } from './process.ts'

const CERT_DIR = '/var/run/kubernetes'
export const WILDCARDS = ['0.0.0.0', '::']

/** Source: k8s.io/apiserver/pkg/server/options serving.go MaybeDefaultWithSelfSignedCerts */
export async function servingPair(
  { tlsCertFile, tlsPrivateKeyFile, certDir = CERT_DIR, bindAddress }: ServingFlags,
  addresses: string[],
  clock: Clock,
): Promise<KeyPair> {
  if (tlsCertFile && tlsPrivateKeyFile) return { cert: readPem(tlsCertFile), key: readPem(tlsPrivateKeyFile) }
  if (tlsCertFile) throw new Error('missing filename for serving key')
  if (tlsPrivateKeyFile) throw new Error('missing filename for serving cert')
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', hostname(), '127.0.0.1']
  const bound = WILDCARDS.includes(bindAddress) ? [] : [bindAddress]
  mkdirSync(certDir, { recursive: true })
  return ensureServingPair(join(certDir, 'apiserver'), [...names, ...addresses, ...bound], clock)
}

const VERSIONS: Record<string, ServingTls['minVersion']> = {
  VersionTLS10: 'TLSv1',
  VersionTLS11: 'TLSv1.1',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
}

/** Names of Go's crypto/tls, and of OpenSSL. What OpenSSL offers no more has none. */
const SUITES: Record<string, string> = {
  TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
  TLS_AES_256_GCM_SHA384: 'TLS_AES_256_GCM_SHA384',
  TLS_CHACHA20_POLY1305_SHA256: 'TLS_CHACHA20_POLY1305_SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_RC4_128_SHA: '',
  TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA: '',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_RC4_128_SHA: '',
  TLS_RSA_WITH_3DES_EDE_CBC_SHA: '',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_RSA_WITH_RC4_128_SHA: '',
}

/** TLS 1.3 has its own, which may always be chosen; the names decide what an older version may use. */
const OF_TLS_13 = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256']

export function tlsOf(
  pair: KeyPair,
  { tlsMinVersion, tlsCipherSuites = [], tlsSniCertKey = [] }: ServingFlags,
): ServingTls {
  const suites = tlsCipherSuites.map(name => SUITES[name]).filter(Boolean)
  return {
    ...pair,
    ...(tlsMinVersion ? { minVersion: VERSIONS[tlsMinVersion] } : {}),
    ...(suites.length ? { ciphers: [...new Set([...OF_TLS_13, ...suites])].join(':') } : {}),
    ...(tlsSniCertKey.length
      ? {
          further: tlsSniCertKey.map(files => {
            const [cert = '', key = ''] = files.split(':', 1)[0]!.split(',')
            return { cert: readPem(cert), key: readPem(key) }
          }),
        }
      : {}),
  }
}

export const http2Of = ({
  disableHttp2Serving: disabled,
  http2MaxStreamsPerConnection: maxStreams,
  goawayChance,
}: ServingFlags): Http2Options => ({
  ...(disabled ? { disabled } : {}),
  ...(maxStreams ? { maxStreams } : {}),
  ...(goawayChance ? { goawayChance } : {}),
})

export function browsersOf({
  corsAllowedOrigins: origins = [],
  strictTransportSecurityDirectives: hsts = [],
}: ServingFlags) {
  if (!origins.length && !hsts.length) return undefined
  return {
    allowedOrigins: origins.map(origin => new RegExp(`(?:${origin})`)),
    ...(hsts.length ? { strictTransport: hsts.join('; ') } : {}),
  }
}

/** Source: k8s.io/apiserver/pkg/server/options server_run_options.go, serving.go */
export function servingProblems(flags: ServingFlags): string[] {
  const problems: string[] = []
  for (const [name, value] of [
    ['max-requests-inflight', flags.maxRequestsInflight],
    ['max-mutating-requests-inflight', flags.maxMutatingRequestsInflight],
    ['request-timeout', flags.requestTimeout],
    ['min-request-timeout', flags.minRequestTimeout],
  ] as const)
    if ((value ?? 0) < 0) problems.push(`--${name} can not be negative value`)
  const { goawayChance = 0, securePort, corsAllowedOrigins = [] } = flags
  if (goawayChance < 0 || goawayChance > 0.02)
    problems.push('--goaway-chance can not be less than 0 or greater than 0.02')
  if (securePort < 0 || securePort > 65_535)
    problems.push(`--secure-port ${securePort} must be between 0 and 65535, inclusive. It cannot be turned off with 0`)
  if (corsAllowedOrigins.some(origin => !/^(\^|.*\/\/)/.test(origin) || !/(\$|:)/.test(origin)))
    problems.push(
      '--cors-allowed-origins has an invalid regular expression: regular expression does not pin to start/end of host in the origin header',
    )
  return problems
}

/** What upstream finds wrong only when it begins to serve. */
export function checkTls({ tlsMinVersion, tlsCipherSuites = [] }: ServingFlags): void {
  if (tlsMinVersion && !(tlsMinVersion in VERSIONS))
    throw new Error(`unknown tls version ${JSON.stringify(tlsMinVersion)}`)
  const unknown = tlsCipherSuites.find(name => !(name in SUITES))
  if (unknown !== undefined) throw new Error(`Cipher suite ${unknown} not supported or doesn't exist`)
}
