import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core, discovery } from '../api/index.ts'
import { staleFlows, udpFlows } from './conntrack.ts'
import { ruleset } from './ruleset.ts'
import { servicePorts } from './service-ports.ts'
import { testService, testSlice } from './testing.ts'
import { transaction } from './transaction.ts'

const options = { family: 'IPv4' as const, clusterCidr: '10.244.0.0/16' }
const ports = (service: core.Service, ...slices: discovery.EndpointSlice[]) =>
  servicePorts([service], () => slices, { nodeName: 'here', family: 'IPv4' })
const rules = (service: core.Service, ...slices: discovery.EndpointSlice[]) =>
  ruleset(ports(service, ...slices), options)
const web = (spec: Partial<core.ServiceSpec> = {}) =>
  testService('web', { clusterIP: '10.96.0.5', ports: [{ port: 80 }], ...spec })

test('endpoints: ready ones, else those that still serve while they go away, by the port of their slice', () => {
  const gone = { conditions: { ready: false, serving: false, terminating: true } }
  const going = { conditions: { ready: false, serving: true, terminating: true } }
  const unready = { conditions: { ready: false } }
  const of = (...endpoints: (string | { address: string })[]) =>
    ports(web(), testSlice('web', { '': 8080 }, endpoints))[0]
  assert.deepEqual(
    of('10.244.0.3', { address: '10.244.0.2', ...unready }, { address: '10.244.0.4', ...going })?.endpoints,
    ['10.244.0.3:8080'],
  )
  assert.deepEqual(of({ address: '10.244.0.4', ...going }, { address: '10.244.0.5', ...gone })?.endpoints, [
    '10.244.0.4:8080',
  ])
  const two = testSlice('web', { '': 9090 }, [{ address: '10.244.1.2', nodeName: 'there' }])
  const [both] = ports(web(), testSlice('web', { '': 8080 }, ['10.244.0.3']), two)
  assert.deepEqual(both?.endpoints, ['10.244.0.3:8080', '10.244.1.2:9090'])
  assert.deepEqual(both?.localEndpoints, ['10.244.0.3:8080'])
})

test('headless Services, names elsewhere and those of another proxy are not served', () => {
  assert.deepEqual(ports(web({ clusterIP: 'None' })), [])
  assert.deepEqual(ports(web({ type: 'ExternalName', clusterIP: undefined })), [])
  const other = web()
  other.metadata.labels = { 'service.kubernetes.io/service-proxy-name': 'other' }
  assert.deepEqual(ports(other), [])
})

test('a Service without endpoints refuses; with endpoints only elsewhere, a local one drops', () => {
  const elements = (spec: Partial<core.ServiceSpec>, ...slices: discovery.EndpointSlice[]) => {
    const { sets } = rules(web({ ports: [{ port: 80, nodePort: 30080 }], ...spec }), ...slices)
    return ['no-endpoint-services', 'no-endpoint-nodeports'].map(name => [...sets.get(name)!.elements].flat())
  }
  assert.deepEqual(elements({}), [
    ['10.96.0.5 . tcp . 80', 'goto reject-chain'],
    ['tcp . 30080', 'goto reject-chain'],
  ])
  const elsewhere = testSlice('web', { '': 8080 }, [{ address: '10.244.1.2', nodeName: 'there' }])
  assert.deepEqual(elements({ internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' }, elsewhere), [
    ['10.96.0.5 . tcp . 80', 'drop'],
    ['tcp . 30080', 'drop'],
  ])
})

test('the same rules need no transaction, and a change touches only what differs', () => {
  const slice = (...addresses: string[]) => testSlice('web', { '': 8080 }, addresses)
  const one = rules(web(), slice('10.244.0.2'))
  assert.equal(transaction('ip t', one, rules(web(), slice('10.244.0.2'))), '')
  const change = transaction('ip t', one, rules(web(), slice('10.244.0.2', '10.244.0.3')))
  assert.doesNotMatch(change, /delete|10\.244\.0\.2 /)
  assert.match(change, /^add chain ip t endpoint-default\/web\/tcp\/\/10\.244\.0\.3\/8080$/m)
  assert.match(change, /numgen random mod 2/)
  const back = transaction('ip t', rules(web(), slice('10.244.0.2', '10.244.0.3')), one)
  assert.match(back, /^delete chain ip t endpoint-default\/web\/tcp\/\/10\.244\.0\.3\/8080$/m)
})

test('names do not clash, however Services are called', () => {
  const chains = new Set<string>()
  const services = ['a', 'a-b'].flatMap(name => ['', 'b', 'b-c'].map(port => ({ name, port })))
  for (const { name, port } of services) {
    const service = testService(name, { clusterIP: '10.96.0.9', ports: [{ name: port, port: 80 }] })
    for (const chain of rules(service, testSlice(name, { [port]: 80 }, ['10.244.0.2'])).chains.keys())
      if (chain.startsWith('service-')) chains.add(chain)
  }
  assert.equal(chains.size, services.length)
})

test('UDP flows are stale when their endpoint goes, or when the first one comes', () => {
  const dns = testService('dns', { clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP', nodePort: 30053 }] })
  const flows = (...addresses: string[]) => udpFlows(ports(dns, testSlice('dns', { '': 53 }, addresses, 'UDP')))
  assert.deepEqual(staleFlows(flows('10.244.0.2', '10.244.0.3'), flows('10.244.0.3')), [
    '--orig-dst 10.96.0.10 --orig-port-dst 53 --dst-nat 10.244.0.2',
    '--orig-port-dst 30053 --dst-nat 10.244.0.2',
  ])
  assert.deepEqual(staleFlows(flows(), flows('10.244.0.2')), [
    '--orig-dst 10.96.0.10 --orig-port-dst 53',
    '--orig-port-dst 30053',
  ])
  assert.deepEqual(staleFlows(flows('10.244.0.2'), flows('10.244.0.2', '10.244.0.3')), [])
  assert.equal(staleFlows(flows('10.244.0.2'), new Map()).length, 2)
})
