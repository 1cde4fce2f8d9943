import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ip } from './index.ts'

test('addresses are numbers, and back', () => {
  for (const address of ['0.0.0.0', '10.96.0.1', '255.255.255.255', '::', '::1', 'fd00::5', 'fd00:1:0:2::3', '1::'])
    assert.equal(ip.format(ip.parse(address), address.includes(':') ? 6 : 4), address)
  assert.equal(ip.parse('0.1.0.2'), 65538n)
  assert.equal(ip.parse('::ffff:1.2.3.4'), 0xffff01020304n)
})

test('of an address of family 6 there is one spelling', () => {
  assert.equal(ip.canonical('FD00:0:0:0:0:0:0:5'), 'fd00::5')
  assert.equal(ip.canonical('1:0:0:2:0:0:0:3'), '1:0:0:2::3')
  assert.equal(ip.canonical('10.0.0.1'), '10.0.0.1')
})

test('ranges begin where their prefix says', () => {
  assert.equal(ip.formatCidr(ip.parseCidr('10.244.3.7/16')), '10.244.0.0/16')
  assert.equal(ip.formatCidr(ip.parseCidr('fd00::ffff/112')), 'fd00::/112')
  for (const text of [
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0/8',
    'fd00::/129',
    '10.0.0.0/-1',
    '10.0.0.0/x',
  ])
    assert.throws(() => ip.parseCidr(text), new Error(`invalid CIDR address: ${text}`))
})

test('ranges have parts and addresses', () => {
  const pods = ip.parseCidr('10.244.0.0/16')
  assert.equal(ip.size(pods), 65536n)
  assert.equal(ip.formatCidr(ip.subnet(pods, 24, 255)), '10.244.255.0/24')
  assert.equal(ip.formatCidr(ip.subnet(ip.parseCidr('10.0.0.7/8'), 9, 1)), '10.128.0.0/9')
  assert.equal(ip.formatCidr(ip.subnet(ip.parseCidr('fd00::/48'), 64, 2)), 'fd00:0:0:2::/64')
  assert.equal(ip.addressAt(pods, 258), '10.244.1.2')
  assert.equal(ip.indexOf(pods, '10.244.1.2'), 258n)
  for (const address of ['10.243.255.255', '10.245.0.0', '::10.244.0.1', '::1'])
    assert.equal(ip.indexOf(pods, address), undefined, address)
  assert.equal(ip.indexOf(ip.parseCidr('::/0'), 'FFFF:ffff:ffff:ffff:ffff:ffff:ffff:ffff'), 2n ** 128n - 1n)
})
