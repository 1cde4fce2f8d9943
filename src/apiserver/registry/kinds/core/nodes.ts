import type { core, FieldError } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { at, duplicate, each, forbidden, invalid, same } from '../../validation/field.ts'
import { cidrWarnings, validateCidr } from '../../validation/ip.ts'
import { validateTaints } from '../../validation/scheduling.ts'

type Node = core.Node

/** Source: k8s.io/kubernetes/pkg/registry/core/node/strategy.go, pkg/apis/core/validation ValidateNode */
export const nodeStrategy: Strategy<Node> = {
  defaults({ spec, status }) {
    // How a kubelet was once to be configured, which upstream keeps no more.
    delete spec.configSource
    delete status.config
    if (status.capacity) status.allocatable ??= { ...status.capacity }
    // Who changes only the older field means the first of the newer one.
    if (spec.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR]
    else if (spec.podCIDRs?.length) spec.podCIDR ||= spec.podCIDRs[0]
  },

  statusOnCreate: true,
  generation: false,

  validate: ({ spec }) => [
    // Where upstream looks for them.
    ...validateTaints(spec.taints, 'metadata.taints'),
    ...each(spec.podCIDRs, 'spec.podCIDRs', (cidr, path) => validateCidr(cidr, path)),
    ...(isOneOfEach(spec.podCIDRs ?? [])
      ? []
      : [invalid('spec.podCIDRs', spec.podCIDRs, 'may specify no more than one CIDR for each IP family')]),
  ],

  validateUpdate({ spec, status }, { spec: old }) {
    const seen = new Set<string>()
    const problems = each(status.addresses, 'status.addresses', (address, field) => {
      const key = JSON.stringify(address)
      if (seen.has(key)) return [duplicate(field, address)]
      seen.add(key)
      return []
    })
    problems.push(...validateCidrChange(spec.podCIDRs, old.podCIDRs))
    if (old.providerID && spec.providerID !== old.providerID) {
      problems.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
    }
    if (!same(spec.externalID, old.externalID)) problems.push(forbidden('spec.externalID', 'may not be updated'))
    return problems
  },

  warnings: ({ spec }) => nodeWarnings(spec),

  fields: ({ spec }) => ({ 'spec.unschedulable': String(spec.unschedulable ?? false) }),
}

const isOneOfEach = (cidrs: string[]): boolean =>
  cidrs.length < 2 || (cidrs.length === 2 && cidrs[0]!.includes(':') !== cidrs[1]!.includes(':'))

/** One complaint for each that changed, unless some were added or taken away. */
function validateCidrChange(cidrs: string[] = [], old: string[] = []): FieldError[] {
  const problem = forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')
  if (old.length === 0) return []
  return cidrs.length === old.length ? old.filter((cidr, i) => cidr !== cidrs[i]).map(() => problem) : [problem]
}

/** Source: k8s.io/kubernetes/pkg/api/node/util.go */
const nodeWarnings = (spec: core.NodeSpec): string[] => [
  ...(spec.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
  ...(spec.podCIDRs ?? []).flatMap((cidr, index) => cidrWarnings(cidr, at('spec.podCIDRs', index))),
]
