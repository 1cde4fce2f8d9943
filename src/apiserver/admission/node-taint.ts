import { type core, resources } from '../../api/index.ts'
import { type AdmissionPlugin, isOf } from './admission.ts'

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const

/**
 * A new node takes no pods before the node controller has seen that it is ready.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/nodetaint
 */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate(attributes) {
    if (attributes.operation !== 'CREATE' || !isOf(attributes, resources.nodes)) return
    const { spec } = attributes.object as core.Node
    const taints = spec.taints ?? []
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return
    spec.taints = [...taints, { ...NOT_READY }]
  },
}
