import { isIPv6 } from 'node:net'

/** The addresses that Services may have, from a CIDR, counted from 0. Neither the first nor, of IPv4, the last is given out. */
export class IpRange {
  readonly cidr: string
  readonly family: 'IPv4' | 'IPv6'
  /** How many addresses there are to give out. */
  readonly size: number
  readonly #first: bigint

  constructor(cidr: string) {
    const [address, bits] = cidr.split('/') as [string, string]
    const width = isIPv6(address) ? 128 : 32
    const total = 1n << BigInt(width - Number(bits))
    this.cidr = cidr
    this.family = width === 128 ? 'IPv6' : 'IPv4'
    this.#first = (toNumber(address) / total) * total + 1n
    // Upstream's bitmap is never larger than this, though an IPv6 range may be.
    this.size = Math.min(Number(total - (width === 128 ? 1n : 2n)), 2 ** 20 - 1)
  }

  address(offset: number): string {
    const value = this.#first + BigInt(offset)
    return this.family === 'IPv4' ? formatIPv4(value) : formatIPv6(value)
  }

  /** The place of an address in the range, or -1. */
  offset(address: string): number {
    if (isIPv6(address) !== (this.family === 'IPv6')) return -1
    const offset = toNumber(address) - this.#first
    return offset >= 0n && offset < BigInt(this.size) ? Number(offset) : -1
  }
}

const formatIPv4 = (value: bigint) => [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.')

function formatIPv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

function toNumber(address: string): bigint {
  if (!isIPv6(address)) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
  // The URL parser writes an embedded IPv4 address as two groups.
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = plain.split('::')
  const [left, right] = [head, tail ?? ''].map(part => (part ? part.split(':') : []))
  const gap = Array.from({ length: 8 - left!.length - right!.length }, () => '0')
  return [...left!, ...gap, ...right!].reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n)
}
