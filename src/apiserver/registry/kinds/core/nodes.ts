import type { core, FieldError } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { duplicate, each, forbidden, invalid, same } from '../../validation/field.ts'
import { validateCidr } from '../../validation/ip.ts'
import { validateTaints } from '../../validation/scheduling.ts'

type Node = core.Node

/** Source: k8s.io/kubernetes/pkg/registry/core/node/strategy.go, pkg/apis/core/validation ValidateNode */
export const nodeStrategy: Strategy<Node> = {
  defaults({ spec, status }) {
    if (status.capacity) status.allocatable ??= { ...status.capacity }
    if (spec.podCIDR && !spec.podCIDRs?.length) spec.podCIDRs = [spec.podCIDR]
    else if (spec.podCIDRs?.length) spec.podCIDR ||= spec.podCIDRs[0]
  },

  statusOnCreate: true,
  generation: false,

  validate({ spec, status }) {
    const cidrs = spec.podCIDRs ?? []
    const seen = new Set<string>()
    return [
      ...validateTaints(spec.taints, 'spec.taints'),
      ...each(cidrs, 'spec.podCIDRs', validateCidr),
      ...(cidrs.length > 2
        ? [invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family')]
        : []),
      ...each(status.addresses, 'status.addresses', (address, field) => {
        const key = JSON.stringify(address)
        if (seen.has(key)) return [duplicate(field, address)]
        seen.add(key)
        return []
      }),
    ]
  },

  validateUpdate({ spec }, { spec: old }) {
    const problems: FieldError[] = []
    if (old.podCIDRs?.length && !same(spec.podCIDRs, old.podCIDRs)) {
      problems.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
    }
    if (old.providerID && spec.providerID !== old.providerID) {
      problems.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
    }
    return problems
  },

  fields: ({ spec }) => ({ 'spec.unschedulable': String(spec.unschedulable ?? false) }),
}
