import { qualifiedNameProblems } from '../names.ts'
import { podResources } from '../pod-resources.ts'
import { isPodTerminal, isSidecar } from '../pods.ts'
import { quantity } from '../quantity.ts'
import { type ResourceList, resourceList } from '../resource-lists.ts'
import { parseTime } from '../time.ts'
import type { core } from '../types/index.ts'
import { type QuotaEvaluator, scopeMatches } from './evaluator.ts'

/** What pods use of a quota. Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core pods.go */

const { add, max } = resourceList

const COUNT = 'count/pods'
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']
const MEASURED = new Set([
  COUNT,
  'pods',
  ...COMPUTE,
  ...COMPUTE.flatMap(name => [`requests.${name}`, `limits.${name}`]),
])
/** Of these every container has to say how much, where a quota measures them: a mistake that has come to stay. */
const REQUIRED = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

const HUGE_PAGES = 'hugepages-'
const DEVICE_CLASS = 'deviceclass.resource.kubernetes.io/'

const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')

/** A resource that some device plugin brings, or a device class: quotas know it by what is requested of it alone. */
const isExtended = (name: string): boolean =>
  name.startsWith(DEVICE_CLASS) ||
  (!isNative(name) && !name.startsWith('requests.') && qualifiedNameProblems(`requests.${name}`).length === 0)

const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith(HUGE_PAGES)

export const podEvaluator: QuotaEvaluator<core.Pod> = {
  measures: name =>
    MEASURED.has(name) ||
    name.startsWith(HUGE_PAGES) ||
    name.startsWith(`requests.${HUGE_PAGES}`) ||
    (name.startsWith('requests.') && (!isNative(name) || name.startsWith(`requests.${DEVICE_CLASS}`))),

  /** That it is there counts as long as it is stored, all else as long as it may run. */
  usage: (pod, now) =>
    mayRun(pod, now)
      ? { [COUNT]: '1', ...compute(effective(pod, 'requests'), effective(pod, 'limits')) }
      : { [COUNT]: '1' },

  inScope(pod, scope) {
    switch (scope.scopeName) {
      case 'Terminating':
        return isTerminating(pod)
      case 'NotTerminating':
        return !isTerminating(pod)
      case 'BestEffort':
        return isBestEffort(pod)
      case 'NotBestEffort':
        return !isBestEffort(pod)
      case 'PriorityClass':
        return scopeMatches(scope, pod.spec.priorityClassName || undefined)
      case 'CrossNamespacePodAffinity':
        return looksBeyondNamespace(pod.spec.affinity)
      default:
        return false
    }
  },

  lacks({ spec }, measured) {
    const { requests = {}, limits = {} } = spec.resources ?? {}
    if ([...Object.keys(requests), ...Object.keys(limits)].some(isPodLevel)) return undefined
    const required = measured.filter(name => REQUIRED.has(name)).sort()
    const lacking = required.flatMap(name => {
      const containers = [...spec.containers, ...(spec.initContainers ?? [])]
      const silent = containers.filter(({ resources }) => !compute(resources.requests, resources.limits)[name])
      const names = [...new Set(silent.map(container => container.name))].sort()
      return names.length ? `${name} for: ${names.join(',')}` : []
    })
    return lacking.length ? `must specify ${lacking.join('; ')}` : undefined
  },
}

/** Whether it ends by itself, by its own deadline. */
export const isTerminating = ({ spec }: core.Pod): boolean => (spec.activeDeadlineSeconds ?? -1) >= 0

const isBestEffort = ({ status }: core.Pod): boolean => status.qosClass === 'BestEffort'

/** Neither over nor, on a node that was lost, long past the moment at which it should have been. */
function mayRun(pod: core.Pod, now: number): boolean {
  if (isPodTerminal(pod)) return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true
  return now <= parseTime(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

/** What is requested and limited, by the names that quotas give to it. */
function compute(requests: ResourceList = {}, limits: ResourceList = {}): ResourceList {
  const usage: ResourceList = { pods: '1' }
  for (const [name, amount] of Object.entries(requests)) {
    const known = COMPUTE.includes(name) || name.startsWith(HUGE_PAGES)
    if (known) usage[name] = amount
    if (known || isExtended(name)) usage[`requests.${name}`] = amount
  }
  for (const name of COMPUTE) if (limits[name] !== undefined) usage[`limits.${name}`] = limits[name]
  return usage
}

/** Of a container that is resized, what it has or was promised counts as long as it is more than what it asks for. */
function effective({ spec, status }: core.Pod, kind: 'requests' | 'limits'): ResourceList {
  const statuses = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
  const infeasible = status.conditions?.some(
    ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
  )
  const of = (container: core.Container): ResourceList => {
    const wanted = container.resources[kind] ?? {}
    const found = statuses.find(({ name }) => name === container.name)
    if (!found?.resources || (spec.initContainers?.includes(container) && !isSidecar(container))) return wanted
    const present = max(found.resources[kind] ?? {}, (kind === 'requests' && found.allocatedResources) || {})
    return infeasible ? present : max(wanted, present)
  }
  const total = podResources(spec, kind, { isPodLevel, of })
  return withOverhead(total, spec.overhead ?? {}, kind)
}

/** Who limits nothing is not limited by what running the pod takes either. */
function withOverhead(total: ResourceList, overhead: ResourceList, kind: 'requests' | 'limits'): ResourceList {
  if (kind === 'requests') return add(total, overhead)
  const limited = Object.keys(overhead).filter(name => total[name] !== undefined && !quantity.isZero(total[name]))
  return add(total, resourceList.pick(overhead, limited))
}

function looksBeyondNamespace({ podAffinity, podAntiAffinity }: core.Affinity = {}): boolean {
  const terms = [podAffinity, podAntiAffinity].flatMap(affinity => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ])
  return terms.some(({ namespaces, namespaceSelector }) => !!namespaces?.length || !!namespaceSelector)
}
