import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger, systemClock, systemRandom } from '../../base/index.ts'
import { apiServer } from './apiserver.ts'
import type { ApiServerFlags } from './apiserver-flags.ts'

const USUAL: ApiServerFlags = {
  bindAddress: '127.0.0.1',
  securePort: 0,
  serviceClusterIpRange: '10.0.0.0/24',
  serviceNodePortRange: '30000-32767',
  authorizationMode: ['RBAC'],
}

/** What kube-apiserver 1.36 says. */
const WRONG: [Partial<ApiServerFlags>, string][] = [
  [{ goawayChance: 0.5 }, '--goaway-chance can not be less than 0 or greater than 0.02'],
  [{ maxRequestsInflight: -1 }, '--max-requests-inflight can not be negative value'],
  [{ requestTimeout: -1000 }, '--request-timeout can not be negative value'],
  [{ minRequestTimeout: -5 }, '--min-request-timeout can not be negative value'],
  [{ shutdownDelayDuration: -1000 }, '--shutdown-delay-duration can not be negative value'],
  [{ tlsMinVersion: 'foo' }, 'unknown tls version "foo"'],
  [{ tlsCipherSuites: ['foo'] }, "Cipher suite foo not supported or doesn't exist"],
  [{ loggingFormat: 'xml' }, 'format: Invalid value: "xml": Unsupported log format'],
  [{ runtimeConfig: { 'foo/v1': 'true' } }, 'unknown api groups foo/v1'],
  [
    { runtimeConfig: { 'apps/v1': 'maybe' } },
    'invalid value of apps/v1: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [
    { serviceAccountMaxTokenExpiration: 1000 },
    'the service-account-max-token-expiration must be between 1 hour and 2^32 seconds',
  ],
  [{ serviceAccountJwksUri: 'foo' }, 'service-account-jwks-uri requires https scheme, parsed as: foo'],
  [{ enableAdmissionPlugins: ['Foo'] }, 'enable-admission-plugins plugin "Foo" is unknown'],
  [{ disableAdmissionPlugins: ['Foo'] }, 'disable-admission-plugins plugin "Foo" is unknown'],
  [{ serviceClusterIpRange: 'x' }, 'service-cluster-ip-range[0] is not a valid cidr'],
  [{ tlsCertFile: '/none' }, 'missing filename for serving key'],
  [
    { auditPolicyFile: '/none', auditLogPath: '-' },
    'loading audit policy file: failed to read file path "/none": open /none: no such file or directory',
  ],
  [
    { auditLogPath: '-', auditLogMode: 'foo' },
    'invalid audit log mode foo, allowed modes are "batch,blocking,blocking-strict"',
  ],
  [
    { maxRequestsInflight: -1, enableAdmissionPlugins: ['Foo'] },
    '[--max-requests-inflight can not be negative value, enable-admission-plugins plugin "Foo" is unknown]',
  ],
  [{}, '--data-dir, or --etcd-servers, must be specified'],
]

for (const [flags, message] of WRONG)
  test(`refuses ${JSON.stringify(flags)}`, async () => {
    const context = { clock: systemClock, random: systemRandom, log: silentLogger }
    const certDir = '/nonexistent-k8ts'
    const served = { certDir, tlsCertFile: undefined, ...USUAL, ...flags }
    if (!Object.keys(flags).length) Object.assign(served, { tlsCertFile: '/dev/null', tlsPrivateKeyFile: '/dev/null' })
    await assert.rejects(async () => apiServer(served as ApiServerFlags).start(context), { message })
  })
