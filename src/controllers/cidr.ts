import { isIP } from 'node:net'

/** A range of addresses: the bits of its first address and how many of them all share. */
export interface Cidr {
  address: bigint
  length: number
  family: 4 | 6
}

/** Throws for anything but `ADDRESS/LENGTH`. */
export function parseCidr(text: string): Cidr {
  const [address = '', length = ''] = text.split('/')
  const family = isIP(address)
  const bits = family === 4 ? 32 : 128
  if ((family !== 4 && family !== 6) || !/^\d+$/.test(length) || Number(length) > bits) {
    throw new Error(`invalid CIDR address: ${text}`)
  }
  const rest = BigInt(bits - Number(length))
  return { address: (bitsOf(address, family) >> rest) << rest, length: Number(length), family }
}

/** The `index`th range of prefix length `length` within `range`. */
export const subnet = (range: Cidr, length: number, index: number): Cidr => ({
  ...range,
  length,
  address: range.address + (BigInt(index) << BigInt((range.family === 4 ? 32 : 128) - length)),
})

export const formatCidr = ({ address, length, family }: Cidr): string =>
  `${family === 4 ? formatIpv4(address) : formatIpv6(address)}/${length}`

function bitsOf(address: string, family: 4 | 6): bigint {
  if (family === 4) return address.split('.').reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n)
  const [head = '', tail] = address.split('::')
  const groups = (part: string) => (part ? part.split(':') : [])
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}

const formatIpv4 = (bits: bigint): string => [24n, 16n, 8n, 0n].map(shift => (bits >> shift) & 0xffn).join('.')

/** In the canonical form, which shortens the first longest run of zeros. */
function formatIpv6(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
