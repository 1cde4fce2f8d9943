import { type core, podTotal, quantity } from '../../api/index.ts'
import type { LinuxResources } from '../runtime/runtime.ts'
import { allContainers } from './spec.ts'

export type ResourceList = Record<string, string>
export type QosClass = NonNullable<core.PodStatus['qosClass']>

export const requestsOf = (container: core.Container): ResourceList => container.resources?.requests ?? {}
export const limitsOf = (container: core.Container): ResourceList => container.resources?.limits ?? {}

const COMPUTE = ['cpu', 'memory'] as const

/** Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClassOf(pod: core.Pod): QosClass {
  if (pod.status?.qosClass) return pod.status.qosClass
  const containers = allContainers(pod)
  const asks = (list: ResourceList) => COMPUTE.some(name => list[name] !== undefined && !quantity.isZero(list[name]))
  if (!containers.some(container => asks(requestsOf(container)) || asks(limitsOf(container)))) return 'BestEffort'
  const guaranteed = containers.every(container =>
    COMPUTE.every(name => {
      const limit = limitsOf(container)[name]
      const request = requestsOf(container)[name] ?? limit
      return limit !== undefined && !quantity.isZero(limit) && quantity.compare(limit, request!) === 0
    }),
  )
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

/** What the pod asks for as a whole, overhead included. `open` when some container leaves it so (which for limits means none). */
export function podAmount(pod: core.Pod, name: 'cpu' | 'memory', of: (container: core.Container) => ResourceList) {
  const read = name === 'cpu' ? quantity.milliValue : quantity.value
  let open = false
  const total = podTotal(pod.spec, container => {
    const amount = of(container)[name]
    if (amount === undefined) open = true
    return amount === undefined ? 0 : read(amount)
  })
  const overhead = pod.spec.overhead?.[name]
  return { total: total + (overhead ? read(overhead) : 0), open }
}

const MIN_SHARES = 2
const MAX_SHARES = 262_144
const MIN_QUOTA = 1_000

export const cpuShares = (milliCpu: number): number =>
  Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milliCpu * 1024) / 1000)))

/** Microseconds of CPU in each period; 0 for no limit. */
export const cpuQuota = (milliCpu: number, period: number): number =>
  milliCpu === 0 ? 0 : Math.max(MIN_QUOTA, Math.floor((milliCpu * period) / 1000))

/** How soon the kernel kills it when memory runs out. Source: pkg/kubelet/qos/policy.go */
export function oomScoreAdjust(pod: core.Pod, container: core.Container, memoryCapacity: number): number {
  if ((pod.spec.priority ?? 0) >= 2_000_000_000) return -997
  const qos = qosClassOf(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const request = requestsOf(container).memory ?? limitsOf(container).memory
  const score = 1000 - Math.floor((1000 * (request ? quantity.value(request) : 0)) / memoryCapacity)
  return score < 3 ? 3 : score >= 1000 ? 999 : score
}

export interface NodeLimits {
  memoryCapacity: number
  cpuCFSQuota: boolean
  /** Microseconds. */
  cpuPeriod: number
}

export function containerResources(pod: core.Pod, container: core.Container, node: NodeLimits): LinuxResources {
  const { cpu: request } = requestsOf(container)
  const { cpu: limit, memory } = limitsOf(container)
  const milliLimit = limit ? quantity.milliValue(limit) : 0
  return {
    cpuShares: cpuShares(request ? quantity.milliValue(request) : milliLimit),
    ...(node.cpuCFSQuota ? { cpuPeriod: node.cpuPeriod, cpuQuota: cpuQuota(milliLimit, node.cpuPeriod) } : {}),
    ...(memory ? { memoryLimitInBytes: quantity.value(memory) } : {}),
    oomScoreAdj: oomScoreAdjust(pod, container, node.memoryCapacity),
  }
}
