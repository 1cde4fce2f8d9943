import type { core } from '../../../../api/index.ts'
import type { Random } from '../../../../base/index.ts'
import { IpRange } from './ip-range.ts'

export interface AllocatorOptions {
  serviceClusterIpRange: string
  serviceNodePortRange: string
  random: Random
}

/** What keeps a wanted value from being taken; the message is upstream's. */
export class AllocationError extends Error {
  override name = 'AllocationError'
}

/**
 * Numbers from 0 up to `size`, each given to one owner at a time. Chosen ones come at random from above a band that is left
 * to those who name theirs, until only that band is free. Source: KEP-3070, KEP-3668
 */
class Pool {
  readonly #taken = new Set<number>()
  readonly #size: number
  readonly #band: number
  readonly #random: Random

  constructor(size: number, band: number, random: Random) {
    this.#size = size
    this.#band = band
    this.#random = random
  }

  clear(): void {
    this.#taken.clear()
  }

  take(number: number): boolean {
    if (this.#taken.has(number)) return false
    this.#taken.add(number)
    return true
  }

  /** Undefined when all are taken. */
  takeAny(): number | undefined {
    const number = this.#search(this.#band, this.#size) ?? this.#search(0, this.#band)
    if (number !== undefined) this.#taken.add(number)
    return number
  }

  release(number: number): void {
    this.#taken.delete(number)
  }

  /** The first free number from a random one on, in a circle. */
  #search(from: number, to: number): number | undefined {
    const length = to - from
    const start = Math.floor(this.#random.next() * length)
    for (let step = 0; step < length; step++) {
      const number = from + ((start + step) % length)
      if (!this.#taken.has(number)) return number
    }
    return undefined
  }
}

/** How many numbers at the low end are left to those who name theirs. */
const band = (size: number, least: number, part: number, most: number) =>
  size < least ? 0 : Math.min(Math.max(least, Math.floor(size / part)), most)

/** The cluster addresses and node ports of a cluster's Services. In memory: made anew from the Services at each start. */
export class ServiceAllocator {
  readonly range: IpRange
  readonly #firstPort: number
  readonly #lastPort: number
  readonly #addresses: Pool
  readonly #ports: Pool

  constructor({ serviceClusterIpRange, serviceNodePortRange, random }: AllocatorOptions) {
    this.range = new IpRange(serviceClusterIpRange)
    const [first, last] = serviceNodePortRange.split('-').map(Number) as [number, number]
    this.#firstPort = first
    this.#lastPort = last
    const ports = last - first + 1
    this.#addresses = new Pool(this.range.size, band(this.range.size, 16, 16, 256), random)
    this.#ports = new Pool(ports, band(ports, 16, 32, 128), random)
  }

  restore(services: core.Service[]): void {
    this.#addresses.clear()
    this.#ports.clear()
    for (const service of services) {
      for (const address of addressesOf(service)) this.#addresses.take(this.range.offset(address))
      for (const port of nodePortsOf(service)) this.#ports.take(port - this.#firstPort)
    }
  }

  takeAddress(address: string): void {
    const offset = this.range.offset(address)
    if (offset < 0) {
      throw new AllocationError(
        `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${this.range.cidr}`,
      )
    }
    if (!this.#addresses.take(offset)) throw new AllocationError('provided IP is already allocated')
  }

  takeAnyAddress(): string {
    const offset = this.#addresses.takeAny()
    if (offset === undefined) throw new AllocationError('range is full')
    return this.range.address(offset)
  }

  releaseAddress(address: string): void {
    this.#addresses.release(this.range.offset(address))
  }

  takePort(port: number): void {
    if (port < this.#firstPort || port > this.#lastPort) {
      throw new AllocationError(
        `provided port is not in the valid range. The range of valid ports is ${this.#firstPort}-${this.#lastPort}`,
      )
    }
    if (!this.#ports.take(port - this.#firstPort)) throw new AllocationError('provided port is already allocated')
  }

  takeAnyPort(): number {
    const offset = this.#ports.takeAny()
    if (offset === undefined) throw new AllocationError('range is full')
    return this.#firstPort + offset
  }

  releasePort(port: number): void {
    this.#ports.release(port - this.#firstPort)
  }
}

/** The addresses that a service holds. */
export const addressesOf = ({ spec }: core.Service): string[] =>
  spec.type === 'ExternalName' ? [] : (spec.clusterIPs ?? []).filter(address => address && address !== 'None')

/** The node ports that a service holds, each once. */
export const nodePortsOf = ({ spec }: core.Service): number[] => [
  ...new Set(
    [...(spec.ports ?? []).map(port => port.nodePort ?? 0), spec.healthCheckNodePort ?? 0].filter(port => port > 0),
  ),
]
