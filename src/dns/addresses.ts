import { isIPv4 } from 'node:net'
import { ip } from '../api/index.ts'

/** The address that a name under in-addr.arpa or ip6.arpa stands for. */
export function addressOf(name: string): string | undefined {
  const v4 = name.endsWith('.in-addr.arpa') && name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.')
  if (v4 && isIPv4(v4)) return v4
  const nibbles = name.endsWith('.ip6.arpa') && name.slice(0, -'.ip6.arpa'.length).split('.').reverse().join('')
  if (!nibbles || !/^[0-9a-f]{32}$/.test(nibbles)) return undefined
  return ip.canonical(nibbles.replace(/.{4}(?=.)/g, '$&:'))
}

/** The 16 bytes of an IPv6 address. */
export const ipv6Bytes = (address: string): Buffer =>
  Buffer.from(ip.parse(address).toString(16).padStart(32, '0'), 'hex')
