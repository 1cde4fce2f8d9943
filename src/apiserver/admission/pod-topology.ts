import { type core, type KubeObject, resources } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import { type AdmissionPlugin, isOf } from './admission.ts'

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/**
 * A pod that gets its node can see by its own labels where that stands.
 * Source: https://kep.k8s.io/4742
 */
export const podTopologyLabels = (reader: Reader): AdmissionPlugin => ({
  name: 'PodTopologyLabels',
  mutate(attributes) {
    const { operation, resource, subresource, object } = attributes
    if (operation !== 'CREATE' || resource.group || resource.resource !== 'pods') return
    if (isOf(attributes, resources.pods)) {
      const { nodeName } = (object as core.Pod).spec
      return nodeName ? addLabels(reader, object!, nodeName) : undefined
    }
    if (subresource !== 'binding') return
    const { kind, name } = (object as unknown as core.Binding).target
    return kind === 'Node' && name ? addLabels(reader, object!, name) : undefined
  },
})

async function addLabels(reader: Reader, { metadata }: KubeObject, nodeName: string): Promise<void> {
  const { labels = {} } = (await reader.read(resources.nodes, '', nodeName))?.metadata ?? {}
  const present = LABELS.filter(key => Object.hasOwn(labels, key)).map(key => [key, labels[key]!])
  if (present.length) metadata.labels = { ...metadata.labels, ...Object.fromEntries(present) }
}
