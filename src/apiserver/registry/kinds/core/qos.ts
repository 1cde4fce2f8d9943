import { type core, quantity } from '../../../../api/index.ts'

type ResourceList = Record<string, string>
type QosClass = NonNullable<core.PodStatus['qosClass']>

/** Only these decide how a pod is treated when its node runs short. */
const COMPUTE = ['cpu', 'memory']

/** Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosClass(spec: core.PodSpec): QosClass {
  const units = spec.resources
    ? [spec.resources]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(container => container.resources ?? {})
  const asks = units.flatMap(({ requests, limits }) => [...compute(requests), ...compute(limits)])
  if (asks.length === 0) return 'BestEffort'
  return units.every(isGuaranteed) ? 'Guaranteed' : 'Burstable'
}

const compute = (list: ResourceList | undefined) =>
  COMPUTE.filter(name => list?.[name] !== undefined && !quantity.isZero(list[name]))

/** Every resource is limited, and no less is requested. */
const isGuaranteed = ({ requests, limits }: core.ResourceRequirements): boolean =>
  compute(limits).length === COMPUTE.length &&
  COMPUTE.every(name => requests?.[name] === undefined || quantity.compare(requests[name], limits![name]!) === 0)
