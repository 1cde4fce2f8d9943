import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type core, is, resources, type StatusError } from '../../../../api/index.ts'
import { seededRandom } from '../../../../base/index.ts'
import { testBed } from '../../testing.ts'
import { IpRange } from './ip-range.ts'
import { ServiceAllocator } from './service-allocator.ts'

const service = (spec: object = {}, name = 'web') => ({
  metadata: { name },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec },
})

const message = async (action: Promise<unknown>): Promise<string> => {
  const error = await action.then(
    () => assert.fail('was accepted'),
    (reason: unknown) => reason,
  )
  assert.ok(is(error, 'Invalid'), String(error))
  return (error as StatusError).message
}

describe('defaults of services', () => {
  test('a bare service', async () => {
    const { spec, status } = await testBed().create(resources.services, service({ clusterIP: '10.96.0.9' }))
    assert.deepEqual(spec, {
      ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }],
      selector: { app: 'web' },
      clusterIP: '10.96.0.9',
      clusterIPs: ['10.96.0.9'],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
    })
    assert.deepEqual(status, { loadBalancer: {} })
  })

  test('client affinity lasts three hours', async () => {
    const { spec } = await testBed().create(resources.services, service({ sessionAffinity: 'ClientIP' }))
    assert.deepEqual(spec.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10800 } })
  })

  test('a load balancer has node ports', async () => {
    const { spec } = await testBed().create(resources.services, service({ type: 'LoadBalancer' }))
    assert.equal(spec.allocateLoadBalancerNodePorts, true)
    assert.equal(spec.externalTrafficPolicy, 'Cluster')
    assert.ok(spec.ports![0]!.nodePort! >= 30000)
  })

  test('a headless service without a selector is open to both families', async () => {
    const { spec } = await testBed().create(resources.services, service({ clusterIP: 'None', selector: undefined }))
    assert.deepEqual(spec.clusterIPs, ['None'])
    assert.deepEqual(spec.ipFamilies, ['IPv4', 'IPv6'])
    assert.equal(spec.ipFamilyPolicy, 'RequireDualStack')
  })

  test('TCP and UDP of one port share a node port', async () => {
    const ports = [
      { name: 'a', port: 53, protocol: 'TCP' },
      { name: 'b', port: 53, protocol: 'UDP' },
    ]
    const { spec } = await testBed().create(resources.services, service({ type: 'NodePort', ports }))
    assert.equal(spec.ports![0]!.nodePort, spec.ports![1]!.nodePort)
  })
})

describe('validation of services', () => {
  const { problems } = testBed()
  const cases: [title: string, spec: object, expected: string[]][] = [
    ['a right one', {}, []],
    ['no ports', { ports: [] }, ['spec.ports: Required value']],
    ['a headless one without ports', { ports: [], clusterIP: 'None' }, []],
    [
      'unknown type',
      { type: 'Public' },
      [
        'spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      'nameless ports',
      { ports: [{ port: 80 }, { port: 81 }] },
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      'one name twice',
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 81 },
        ],
      },
      ['spec.ports[1].name: Duplicate value: "a"'],
    ],
    [
      'port 0',
      { ports: [{ port: 0, targetPort: 1 }] },
      ['spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
    ],
    [
      'node port of a cluster address',
      { ports: [{ port: 80, nodePort: 30001 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    ['no external name', { type: 'ExternalName', ports: [] }, ['spec.externalName: Required value']],
    [
      'headless node port',
      { type: 'NodePort', clusterIP: 'None' },
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    [
      'malformed address',
      { clusterIP: '10.96' },
      ['spec.clusterIPs[0]: Invalid value: "10.96": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'affinity for too long',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 90000 } } },
      [
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400',
      ],
    ],
  ]
  for (const [title, spec, expected] of cases) {
    test(title, async () => assert.deepEqual(await problems(resources.services, service(spec)), expected))
  }
})

describe('allocation', () => {
  test('an address is given once, and again when its service is gone', async () => {
    const bed = testBed()
    const first = await bed.create(resources.services, service({ clusterIP: '10.96.0.10' }))
    const again = () => bed.create(resources.services, service({ clusterIP: '10.96.0.10' }, 'other'))
    assert.equal(
      await message(again()),
      'Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    )
    bed.strategies.strategyFor(resources.services as never).afterDelete!(first)
    assert.equal((await again()).spec.clusterIP, '10.96.0.10')
  })

  test('an address outside of the range', async () => {
    assert.equal(
      await message(testBed().create(resources.services, service({ clusterIP: '10.97.0.1' }))),
      'Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.1"]: failed to allocate IP 10.97.0.1: the provided IP (10.97.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/24',
    )
  })

  test('a node port outside of the range', async () => {
    assert.equal(
      await message(
        testBed().create(resources.services, service({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })),
      ),
      'Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30009',
    )
  })

  test('a failed allocation gives everything back', async () => {
    const bed = testBed()
    const ports = [
      { name: 'a', port: 80, nodePort: 30001 },
      { name: 'b', port: 81, nodePort: 80 },
    ]
    await message(bed.create(resources.services, service({ type: 'NodePort', clusterIP: '10.96.0.5', ports })))
    const second = await bed.create(
      resources.services,
      service({ type: 'NodePort', clusterIP: '10.96.0.5', ports: [{ port: 80, nodePort: 30001 }] }),
    )
    assert.equal(second.spec.ports![0]!.nodePort, 30001)
  })

  test('all node ports are given, and then none', async () => {
    const bed = testBed()
    const taken = new Set<number>()
    for (let index = 0; index < 10; index++) {
      const { spec } = await bed.create(resources.services, service({ type: 'NodePort' }, `s${index}`))
      taken.add(spec.ports![0]!.nodePort!)
    }
    assert.equal(taken.size, 10)
    await assert.rejects(
      bed.create(resources.services, service({ type: 'NodePort' })),
      /failed to allocate a nodePort: range is full/,
    )
  })

  test('is found again after a restart', async () => {
    const old = await testBed().create(
      resources.services,
      service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30004 }] }),
    )
    const bed = testBed()
    bed.strategies.restoreServices([old])
    assert.match(
      await message(bed.create(resources.services, service({ clusterIP: old.spec.clusterIP }))),
      /provided IP is already allocated/,
    )
    assert.match(
      await message(
        bed.create(resources.services, service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30004 }] })),
      ),
      /provided port is already allocated/,
    )
  })

  test('never gives out the first addresses while others are free', () => {
    const allocator = new ServiceAllocator({
      serviceClusterIpRange: '10.96.0.0/24',
      serviceNodePortRange: '30000-32767',
      random: seededRandom(7),
    })
    const addresses = Array.from({ length: 200 }, () => allocator.takeAnyAddress())
    assert.equal(new Set(addresses).size, 200)
    assert.ok(addresses.every(address => Number(address.split('.')[3]) > 16))
  })
})

describe('updates of services', () => {
  const update = async (draft: object, change: (service: core.Service) => void) => {
    const bed = testBed()
    const strategy = bed.strategies.strategyFor(resources.services as never)
    const old = await bed.create(resources.services, draft as never)
    const object = structuredClone(old)
    change(object)
    strategy.defaults!(object)
    strategy.prepareUpdate!(object, old, bed.context)
    const problems = [...strategy.validate!(object), ...strategy.validateUpdate!(object, old)]
    if (problems.length === 0) (await strategy.allocate!(object, old, bed.context))?.commit()
    return { bed, old, object, problems }
  }

  test('keep what was allocated and is not named', async () => {
    const { old, object } = await update(service({ type: 'NodePort' }), ({ spec }) => {
      delete spec.clusterIP
      delete spec.clusterIPs
      delete spec.ports![0]!.nodePort
    })
    assert.deepEqual(object.spec, old.spec)
  })

  test('may not change the address', async () => {
    const { problems } = await update(service({ clusterIP: '10.96.0.7' }), ({ spec }) => {
      spec.clusterIP = '10.96.0.8'
    })
    assert.equal(problems.length, 1)
    assert.equal(problems[0]!.field, 'spec.clusterIPs[0]')
    assert.equal(problems[0]!.detail, 'may not change once set')
  })

  test('to ExternalName give the address back', async () => {
    const { bed, object } = await update(service({ clusterIP: '10.96.0.7' }), ({ spec }) => {
      spec.type = 'ExternalName'
      spec.externalName = 'example.com'
    })
    assert.equal(object.spec.clusterIP, undefined)
    await bed.create(resources.services, service({ clusterIP: '10.96.0.7' }, 'next'))
  })

  test('to ExternalName lose what belongs to an address, also when that is taken away by hand', async () => {
    const { object, problems } = await update(service({}), ({ spec }) => {
      spec.type = 'ExternalName'
      spec.externalName = 'example.com'
      delete spec.clusterIP
      delete spec.clusterIPs
    })
    assert.deepEqual(problems, [])
    assert.deepEqual([object.spec.ipFamilies, object.spec.ipFamilyPolicy], [undefined, undefined])
  })

  test('to ClusterIP give the node ports back', async () => {
    const draft = service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30003 }] })
    const { bed, object, problems } = await update(draft, ({ spec }) => {
      spec.type = 'ClusterIP'
    })
    assert.deepEqual(problems, [])
    assert.equal(object.spec.ports![0]!.nodePort, undefined)
    assert.equal(object.spec.externalTrafficPolicy, undefined)
    await bed.create(resources.services, { ...draft, metadata: { name: 'next' } })
  })
})

describe('ranges of addresses', () => {
  const cases: [cidr: string, size: number, first: string, last: string][] = [
    ['10.96.0.0/16', 65534, '10.96.0.1', '10.96.255.254'],
    ['192.168.1.128/30', 2, '192.168.1.129', '192.168.1.130'],
    ['fd00:10:96::/112', 65535, 'fd00:10:96::1', 'fd00:10:96::ffff'],
  ]
  for (const [cidr, size, first, last] of cases) {
    test(cidr, () => {
      const range = new IpRange(cidr)
      assert.equal(range.size, size)
      assert.equal(range.address(0), first)
      assert.equal(range.address(size - 1), last)
      assert.equal(range.offset(last), size - 1)
      assert.equal(range.offset('1.2.3.4'), -1)
    })
  }
})
