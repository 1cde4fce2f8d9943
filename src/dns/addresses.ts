import { isIPv4, isIPv6 } from 'node:net'

/** The address that a name under in-addr.arpa or ip6.arpa stands for. */
export function addressOf(name: string): string | undefined {
  const v4 = name.endsWith('.in-addr.arpa') && name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.')
  if (v4 && isIPv4(v4)) return v4
  const nibbles = name.endsWith('.ip6.arpa') && name.slice(0, -'.ip6.arpa'.length).split('.').reverse().join('')
  if (!nibbles || !/^[0-9a-f]{32}$/.test(nibbles)) return undefined
  return canonicalIp(nibbles.replace(/.{4}(?=.)/g, '$&:'))
}

/** IPv6 addresses have many spellings; this is the one that the API stores. */
export const canonicalIp = (ip: string): string => (isIPv6(ip) ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip)

/** The 16 bytes of an IPv6 address. */
export function ipv6Bytes(ip: string): Buffer {
  const [head = '', tail] = canonicalIp(ip).split('::')
  const groups = (text: string) => (text ? text.split(':').map(group => Number.parseInt(group, 16)) : [])
  const [left, right] = [groups(head), groups(tail ?? '')]
  const middle = new Array<number>(8 - left.length - right.length).fill(0)
  return Buffer.from([...left, ...middle, ...right].flatMap(group => [group >> 8, group & 255]))
}
