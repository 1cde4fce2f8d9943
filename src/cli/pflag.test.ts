import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FLAGS } from './apiserver-flags.ts'
import { changedGates } from './feature-gates.ts'
import { parseFlags } from './pflag.ts'

const parse = (...args: string[]) => parseFlags(FLAGS, args, 'kube-apiserver')

test('reads every form of a flag', () => {
  assert.deepEqual(
    parse(
      '--secure-port=1',
      '--bind-address',
      '127.0.0.1',
      '--anonymous-auth',
      '--profiling=false',
      '-v=4',
      '--event-ttl',
      '1m30.5s',
      '--audit-log-batch-throttle-qps=.5',
      '--api-audiences=a,b',
      '--api-audiences=c',
      '--requestheader-allowed-names=',
      '--service-account-issuer=https://x,y',
      '--service-account-issuer=z',
      '--runtime-config=api/all=true,apps/v1=false',
      '--runtime-config=batch/v1',
    ),
    {
      securePort: 1,
      bindAddress: '127.0.0.1',
      anonymousAuth: true,
      profiling: false,
      v: '4',
      eventTtl: 90_500,
      auditLogBatchThrottleQps: 0.5,
      apiAudiences: ['a', 'b', 'c'],
      requestheaderAllowedNames: [],
      serviceAccountIssuer: ['https://x,y', 'z'],
      runtimeConfig: { 'api/all': 'true', 'apps/v1': 'false', 'batch/v1': '' },
    },
  )
})

/** What kube-apiserver 1.36 says. */
const WRONG: [args: string[], message: string][] = [
  [['--no-such-flag'], 'unknown flag: --no-such-flag'],
  [['--no-such-flag=1'], 'unknown flag: --no-such-flag'],
  [['-x'], "unknown shorthand flag: 'x' in -x"],
  [['--secure-port'], 'flag needs an argument: --secure-port'],
  [['--secure-port=x'], 'invalid argument "x" for "--secure-port" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  [
    ['--anonymous-auth=maybe'],
    'invalid argument "maybe" for "--anonymous-auth" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [['--event-ttl=abc'], 'invalid argument "abc" for "--event-ttl" flag: time: invalid duration "abc"'],
  [['--event-ttl=5'], 'invalid argument "5" for "--event-ttl" flag: time: missing unit in duration "5"'],
  [['--bind-address=1.2.3'], 'invalid argument "1.2.3" for "--bind-address" flag: failed to parse IP: "1.2.3"'],
  [
    ['--tls-sni-cert-key=a'],
    'invalid argument "a" for "--tls-sni-cert-key" flag: expected comma separated certificate and key file paths',
  ],
  [
    ['--service-node-port-range=x'],
    'invalid argument "x" for "--service-node-port-range" flag: strconv.Atoi: parsing "x": invalid syntax',
  ],
  [['foo'], '"kube-apiserver" does not take any arguments, got ["foo"]'],
  [['--anonymous-auth', 'false'], '"kube-apiserver" does not take any arguments, got ["false"]'],
]

for (const [args, message] of WRONG)
  test(`refuses ${args.join(' ')}`, () => {
    assert.throws(() => parse(...args), { message })
  })

test('knows the feature gates', () => {
  assert.deepEqual(changedGates(['AllAlpha=true,kube:AllBeta=false', 'WatchList=true']), ['AllAlpha'])
  for (const [given, message] of [
    ['Foo=true', 'unrecognized feature gate: Foo'],
    ['AllAlpha', 'missing bool value for AllAlpha'],
    ['AllAlpha=x', 'invalid value of AllAlpha=x, err: strconv.ParseBool: parsing "x": invalid syntax'],
  ])
    assert.throws(() => changedGates([given!]), { message })
})
