import { ip } from '../../../../api/index.ts'

/** The addresses that Services may have, from a CIDR, counted from 0. Neither the first nor, of IPv4, the last is given out. */
export class IpRange {
  readonly cidr: string
  readonly family: 'IPv4' | 'IPv6'
  /** How many addresses there are to give out. */
  readonly size: number
  readonly #range: ip.Cidr

  constructor(cidr: string) {
    this.cidr = cidr
    this.#range = ip.parseCidr(cidr)
    this.family = this.#range.family === 6 ? 'IPv6' : 'IPv4'
    // Upstream's bitmap is never larger than this, though an IPv6 range may be.
    this.size = Math.min(Number(ip.size(this.#range)) - (this.family === 'IPv6' ? 1 : 2), 2 ** 20 - 1)
  }

  address(offset: number): string {
    return ip.addressAt(this.#range, offset + 1)
  }

  /** The place of an address in the range, or -1. */
  offset(address: string): number {
    const offset = Number(ip.indexOf(this.#range, address) ?? 0n) - 1
    return offset < this.size ? offset : -1
  }
}
