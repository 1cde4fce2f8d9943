/** IP addresses and ranges of them, of both families. */
import { isIP, isIPv4, isIPv6 } from 'node:net'

export type Family = 4 | 6

/** A range of addresses: its first one as a number, and how many leading bits all of them share. */
export interface Cidr {
  first: bigint
  length: number
  family: Family
}

const width = (family: Family): bigint => (family === 4 ? 32n : 128n)

const familyOf = (address: string): Family => (isIPv6(address) ? 6 : 4)

/** The number that an address is. It must be one. */
export function parse(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n)
  const [head = '', tail] = canonical(address).split('::')
  const groups = (part = '') => (part ? part.split(':') : [])
  const [before, after] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}

export function format(bits: bigint, family: Family): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map(shift => (bits >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  return canonical(groups.join(':'))
}

/**
 * IPv6 addresses have many spellings; this is the one that the API stores, which shortens the first longest run of zeros
 * and writes an embedded IPv4 address as two groups.
 */
export const canonical = (address: string): string =>
  isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address

/** Whether it is `ADDRESS/LENGTH`. */
export function isCidr(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/')
  return (
    isIP(address) !== 0 && /^\d{1,3}$/.test(length) && BigInt(length) <= width(familyOf(address)) && more.length === 0
  )
}

/** Throws for what is none. */
export function parseCidr(text: string): Cidr {
  if (!isCidr(text)) throw new Error(`invalid CIDR address: ${text}`)
  const [address, length] = text.split('/') as [string, string]
  const family = familyOf(address)
  const rest = width(family) - BigInt(length)
  return { first: (parse(address) >> rest) << rest, length: Number(length), family }
}

export const formatCidr = ({ first, length, family }: Cidr): string => `${format(first, family)}/${length}`

/** How many addresses a range has. */
export const size = ({ length, family }: Cidr): bigint => 1n << (width(family) - BigInt(length))

/** The `index`th range of prefix length `length` within a range. */
export const subnet = ({ first, family }: Cidr, length: number, index: number): Cidr => ({
  first: first + BigInt(index) * size({ first, family, length }),
  length,
  family,
})

/** The address `index` places after a range's first. */
export const addressAt = ({ first, family }: Cidr, index: number): string => format(first + BigInt(index), family)

/** How many places after the range's first address this one is; undefined where the range does not have it. */
export function indexOf(range: Cidr, address: string): bigint | undefined {
  if (familyOf(address) !== range.family) return undefined
  const index = parse(address) - range.first
  return index >= 0n && index < size(range) ? index : undefined
}
