import { type core, parseQuantity, podResources, resources, type StatusError } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import { same } from '../registry/validation/field.ts'
import { type AdmissionPlugin, type Attributes, forbidden } from './admission.ts'

const MEASURED = ['cpu', 'memory']

/**
 * A pod does not grow beyond what its node has. Source: https://kep.k8s.io/1287
 */
export const podResizeValidator = (reader: Reader): AdmissionPlugin => ({
  name: 'PodResizeValidator',
  async validate(attributes) {
    const { operation, resource, subresource } = attributes
    if (subresource !== 'resize' || operation !== 'UPDATE' || resource.resource !== 'pods' || resource.group) return
    const pod = attributes.object as core.Pod
    const { nodeName } = pod.spec
    if (!nodeName || same(pod.spec, (attributes.old as core.Pod).spec)) return
    const node = await reader.read(resources.nodes, '', nodeName)
    if (!node) throw forbidden(attributes, `node ${JSON.stringify(nodeName)} not found`)
    check(attributes, pod, node)
  },
})

function check(attributes: Attributes, { spec }: core.Pod, { metadata, status }: core.Node): void {
  const os = metadata.labels?.['kubernetes.io/os'] ?? 'linux'
  if (os !== 'linux')
    throw refused(
      attributes,
      `pod resize is only supported on linux nodes, node ${JSON.stringify(metadata.name)} is ${JSON.stringify(os)}`,
      'UnsupportedPlatform',
    )
  const requests = podResources(spec, 'requests', { isPodLevel: name => MEASURED.includes(name) })
  const lacking = MEASURED.flatMap(name => {
    const [requested, allocatable] = [requests[name], status.allocatable?.[name]].map(amount => counted(name, amount))
    return requested! > allocatable! ? `${name}, requested: ${requested}, allocatable: ${allocatable}` : []
  })
  if (!lacking.length) return
  throw refused(attributes, `node didn't have enough allocatable resources: ${lacking.join('; ')}`, 'NodeCapacity')
}

/** In units of a thousandth for processors, and in bytes; a fraction counts as a whole. */
function counted(name: string, amount = '0'): bigint {
  const unit = name === 'cpu' ? 10n ** 6n : 10n ** 9n
  return (parseQuantity(amount).nano + unit - 1n) / unit
}

function refused(attributes: Attributes, detail: string, reason: string): StatusError {
  const error = forbidden(attributes, detail)
  error.status.details = { ...error.status.details, causes: [{ reason }] }
  return error
}
