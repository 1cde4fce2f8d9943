import type { discovery } from '../../api/index.ts'
import { sameEndpoint } from './endpoint.ts'

/** Endpoints with the ports that all of them have. */
export interface Group {
  addressType: string
  ports: discovery.EndpointPort[]
  endpoints: discovery.Endpoint[]
}

/** How a slice shall be; without `slice` it is a new one. */
export interface Plan {
  slice?: discovery.EndpointSlice
  addressType: string
  ports: discovery.EndpointPort[]
  endpoints: discovery.Endpoint[]
  /** Whether that differs from how it is. */
  changed: boolean
}

export interface Distribution {
  plans: Plan[]
  /** Slices that nothing is left for. */
  surplus: discovery.EndpointSlice[]
}

/**
 * Spreads endpoints over slices of at most `most`, touching as few of the present slices as possible: endpoints stay
 * where they are, and new ones fill slices that change anyway, then those with room, then new ones. A group without
 * endpoints gets one empty slice.
 * Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#distribution-of-endpointslices
 */
export function distribute(groups: Group[], slices: discovery.EndpointSlice[], most: number): Distribution {
  const plans = groups.flatMap(group => planGroup(group, slices, most))
  const planned = new Set(plans.map(({ slice }) => slice))
  const surplus = slices.filter(slice => !planned.has(slice))
  // A slice that would go is changed into one that would come.
  for (const plan of plans) {
    if (plan.slice) continue
    const reused = surplus.findIndex(slice => slice.addressType === plan.addressType)
    if (reused !== -1) [plan.slice] = surplus.splice(reused, 1)
  }
  return { plans, surplus }
}

function planGroup({ addressType, ports, endpoints }: Group, slices: discovery.EndpointSlice[], most: number): Plan[] {
  const alike = slices.filter(slice => slice.addressType === addressType && samePorts(slice.ports ?? [], ports))
  const missing = new Map(endpoints.map(endpoint => [identity(endpoint), endpoint]))
  const plans = alike.map(slice => keep(slice, missing)).sort((a, b) => Number(b.changed) - Number(a.changed))
  const rest = [...missing.values()]
  for (const plan of plans) fill(plan, rest, most)
  while (rest.length > 0) {
    const plan: Plan = { addressType, ports, endpoints: [], changed: true }
    fill(plan, rest, most)
    plans.push(plan)
  }
  const used = plans.filter(plan => plan.endpoints.length > 0)
  if (used.length > 0) return used
  return [plans[0] ?? { addressType, ports, endpoints: [], changed: true }]
}

/** What the slice keeps, in the present form; that is taken out of `missing`. */
function keep(slice: discovery.EndpointSlice, missing: Map<string, discovery.Endpoint>): Plan {
  const before = slice.endpoints ?? []
  const endpoints: discovery.Endpoint[] = []
  let changed = false
  for (const old of before) {
    const wanted = missing.get(identity(old))
    if (!wanted) {
      changed = true
      continue
    }
    missing.delete(identity(old))
    const same = sameEndpoint(wanted, old)
    endpoints.push(same ? old : wanted)
    if (!same) changed = true
  }
  return { slice, addressType: slice.addressType, ports: slice.ports ?? [], endpoints, changed }
}

function fill(plan: Plan, rest: discovery.Endpoint[], most: number): void {
  const added = rest.splice(0, Math.max(0, most - plan.endpoints.length))
  if (added.length === 0) return
  plan.endpoints.push(...added)
  plan.changed = true
}

const identity = ({ targetRef, addresses }: discovery.Endpoint): string => `${targetRef?.uid} ${addresses.join()}`

export const portsKey = (ports: discovery.EndpointPort[]): string =>
  ports
    .map(({ name, protocol, port, appProtocol }) => [name ?? '', protocol, port, appProtocol].join('/'))
    .sort()
    .join()

const samePorts = (a: discovery.EndpointPort[], b: discovery.EndpointPort[]): boolean => portsKey(a) === portsKey(b)
