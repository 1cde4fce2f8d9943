import type { core } from '../../api/index.ts'
import type { Plugin } from '../framework.ts'
import { tolerates } from './taint-toleration.ts'

const name = 'NodeUnschedulable'
const taint: core.Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** Keeps pods off a cordoned node. */
export const nodeUnschedulable: Plugin = {
  name,
  events: ['NodeAdd', 'NodeTaint'],
  filter(_state, pod, { node }) {
    if (node!.spec.unschedulable && !tolerates(pod.spec.tolerations, taint))
      return { plugin: name, reasons: ['node(s) were unschedulable'], unresolvable: true }
  },
}
