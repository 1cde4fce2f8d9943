import { type core, type FieldError, names } from '../../../../api/index.ts'
import { at, complaints, each, forbidden, immutable, invalid, own, required, same } from '../../validation/field.ts'
import { validateIp } from '../../validation/ip.ts'

/**
 * What may change in a pod that exists. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePodUpdate
 */

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
]

const LARGEST_INT32 = 2 ** 31 - 1

export function validatePodUpdate({ spec, metadata }: core.Pod, { spec: old, ...rest }: core.Pod): FieldError[] {
  const counts = [
    ...sameCount(spec.containers, old.containers, 'spec.containers'),
    ...sameCount(spec.initContainers, old.initContainers, 'spec.initContainers'),
  ]
  if (counts.length) return counts
  const problems = [
    ...validateImages(spec.containers, 'spec.containers'),
    ...validateImages(spec.initContainers, 'spec.initContainers'),
    ...validateDeadline(spec.activeDeadlineSeconds, old.activeDeadlineSeconds),
    ...validateGates(spec.schedulingGates, old.schedulingGates),
    ...validateTolerations(
      spec.tolerations,
      old.tolerations,
      metadata.deletionTimestamp ?? rest.metadata.deletionTimestamp,
    ),
  ]
  if (problems.length) return problems
  if (old.schedulingGates?.length) {
    const loosened = [
      ...validateNodeSelector(spec.nodeSelector, old.nodeSelector),
      ...validateNodeAffinity(spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity),
    ]
    if (loosened.length) return loosened
  }
  const changed = changes(spec, withUpdatable(spec, old))
  if (changed.length === 0) return []
  return [
    forbidden('spec', `pod updates may not change fields other than ${UPDATABLE.join(',')}\n${changed.join('\n')}`),
  ]
}

const sameCount = (containers: core.Container[] | undefined, old: core.Container[] | undefined, path: string) =>
  (containers?.length ?? 0) === (old?.length ?? 0)
    ? []
    : [forbidden(path, 'pod updates may not add or remove containers')]

const validateImages = (containers: core.Container[] | undefined, path: string): FieldError[] =>
  each(containers, path, ({ image }, itemPath) => {
    if (!image) return [required(`${itemPath}.image`)]
    return image === image.trim()
      ? []
      : [invalid(`${itemPath}.image`, image, 'must not have leading or trailing whitespace')]
  })

/** It may be set where there was none, or lowered. */
function validateDeadline(deadline: number | undefined, old: number | undefined): FieldError[] {
  const path = 'spec.activeDeadlineSeconds'
  if (deadline === undefined) {
    return old === undefined ? [] : [invalid(path, null, 'must not update from a positive integer to nil value')]
  }
  if (deadline < 0 || deadline > LARGEST_INT32) {
    return [invalid(path, deadline, `must be between 0 and ${LARGEST_INT32}, inclusive`)]
  }
  return old !== undefined && old < deadline
    ? [invalid(path, deadline, 'must be less than or equal to previous value')]
    : []
}

function validateGates(gates: core.PodSchedulingGate[] = [], old: core.PodSchedulingGate[] = []): FieldError[] {
  const before = new Set(old.map(({ name }) => name))
  return gates.flatMap(({ name }, index) =>
    before.has(name)
      ? []
      : [
          forbidden(
            `${at('spec.schedulingGates', index)}.name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  )
}

/** Each old toleration is still there, but for its tolerationSeconds. */
function validateTolerations(
  tolerations: core.Toleration[] = [],
  old: core.Toleration[] = [],
  deleted: string | undefined,
): FieldError[] {
  if (deleted && same(tolerations, old)) return []
  const bare = ({ tolerationSeconds: _, ...toleration }: core.Toleration) => toleration
  const kept = old.every(before => tolerations.some(now => same(bare(now), bare(before))))
  return kept
    ? []
    : [forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')]
}

function validateNodeSelector(selector: Record<string, string> | undefined, old: Record<string, string> = {}) {
  const kept = Object.entries(old).every(([key, value]) => own(selector, key) === value)
  const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
  return kept ? [] : [invalid('spec.nodeSelector', selector ?? null, detail)]
}

/** A term that nodes have to meet may ask for more, and not for less. */
function validateNodeAffinity(affinity: core.NodeAffinity | undefined, old: core.NodeAffinity | undefined) {
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (!before.length) return []
  const now = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (now.length !== before.length) {
    const shown = now.length ? now.map(shownTerm) : null
    return [invalid(path, shown, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')]
  }
  return now.flatMap((term, index) =>
    asksAtLeast(term, before[index]!)
      ? []
      : [invalid(at(path, index), shownTerm(term), 'only additions are allowed (no mutations or deletions)')],
  )
}

function asksAtLeast(term: core.NodeSelectorTerm, old: core.NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const
  // An empty term matches no node, and one with something in it might.
  if (lists.every(list => !old[list]?.length)) return lists.every(list => !term[list]?.length)
  return lists.every(list => same((term[list] ?? []).slice(0, old[list]?.length ?? 0), old[list] ?? []))
}

/** As Go's own names of the fields show it. */
function shownTerm({ matchExpressions, matchFields }: core.NodeSelectorTerm): object {
  const list = (requirements: core.NodeSelectorRequirement[] | undefined) =>
    requirements?.map(({ key, operator, values }) => ({ Key: key, Operator: operator, Values: values ?? null })) ?? null
  return { MatchExpressions: list(matchExpressions), MatchFields: list(matchFields) }
}

/** The old spec with everything taken over that may change. */
function withUpdatable(spec: core.PodSpec, old: core.PodSpec): core.PodSpec {
  const images = <T extends core.Container | core.EphemeralContainer>(now: T[] | undefined, before: T[] | undefined) =>
    before?.map((container, index) => ({ ...container, image: now?.[index]?.image }))
  const allowed: core.PodSpec = {
    ...old,
    containers: images(spec.containers, old.containers) ?? [],
    initContainers: images(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: spec.activeDeadlineSeconds,
    tolerations: spec.tolerations,
    schedulingGates: spec.schedulingGates,
  }
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) {
    allowed.terminationGracePeriodSeconds = 1
  }
  if (old.schedulingGates?.length) {
    // A pod that is held back has not been placed yet, so what places it may become stricter.
    allowed.nodeSelector = spec.nodeSelector
    const affinity = { ...old.affinity, nodeAffinity: spec.affinity?.nodeAffinity }
    // What it shall be near to, though, stays as it was.
    allowed.affinity = old.affinity || spec.affinity?.nodeAffinity ? affinity : undefined
  }
  return allowed
}

/** One line for each field that differs, old and new. */
function changes(spec: core.PodSpec, allowed: core.PodSpec): string[] {
  const [now, before] = [spec, allowed] as unknown as [Record<string, unknown>, Record<string, unknown>]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(key => !same(now[key], before[key]))
  return keys.flatMap(key => [`-\t${key}: ${shown(before[key])}`, `+\t${key}: ${shown(now[key])}`])
}

const shown = (value: unknown) => (value === undefined ? 'nil' : JSON.stringify(value))

export const validatePodStatusUpdate = ({ spec, status }: core.Pod, { status: old }: core.Pod): FieldError[] => [
  ...validateConditions(status.conditions),
  ...validateNomination(status.nominatedNodeName, old.nominatedNodeName, spec.nodeName),
  ...((status.observedGeneration ?? 0) < 0
    ? [invalid('status.observedGeneration', status.observedGeneration, 'must be a non-negative integer')]
    : []),
  ...immutable('status.qosClass', status.qosClass, old.qosClass),
  ...terminatedStays(status.containerStatuses, old.containerStatuses, 'status.containerStatuses', spec.restartPolicy),
  ...validateClaims(status.resourceClaimStatuses, spec.resourceClaims),
  ...validatePodIps(status.podIPs, old.podIPs),
  ...validateHostIps(status),
]

const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized']

const validateConditions = (conditions: core.PodCondition[] | undefined): FieldError[] =>
  each(conditions, 'status.conditions', ({ type, observedGeneration = 0 }, path) => [
    ...(observedGeneration < 0
      ? [invalid(`${path}.observedGeneration`, observedGeneration, 'must be a non-negative integer')]
      : []),
    ...(SYSTEM_CONDITIONS.includes(type) ? [] : complaints(`${path}.Type`, type, names.qualifiedNameProblems(type))),
  ])

/** Where the pod may be placed, as long as it is nowhere. */
function validateNomination(
  node: string | undefined,
  old: string | undefined,
  bound: string | undefined,
): FieldError[] {
  const path = 'status.nominatedNodeName'
  if (!node || node === old) return []
  return [
    ...complaints(path, node, names.dns1123SubdomainProblems(node)),
    ...(bound ? [forbidden(path, 'may not be set on pods that are already bound to a node')] : []),
  ]
}

const validateClaims = (
  statuses: core.PodResourceClaimStatus[] | undefined,
  claims: core.PodResourceClaim[] = [],
): FieldError[] =>
  each(statuses, 'status.resourceClaimStatuses', ({ name }, path) =>
    claims.some(claim => claim.name === name)
      ? []
      : [invalid(`${path}.name`, name, 'must match the name of an entry in `spec.resourceClaims`')],
  )

/** One address of each family; what is there already is not judged again. */
function validatePodIps(ips: core.PodIP[] = [], old: core.PodIP[] = []): FieldError[] {
  const problems = ips.flatMap(({ ip }, index) =>
    old.some(before => before.ip === ip) ? [] : validateIp(ip ?? '', at('status.podIPs', index)),
  )
  if (ips.length < 2) return problems
  const shown = ips.map(({ ip }) => ({ IP: ip }))
  const families = new Set(ips.map(({ ip }) => ip?.includes(':')))
  if (families.size < ips.length)
    problems.push(invalid('status.podIPs', shown, 'may specify no more than one IP for each IP family'))
  return problems
}

const validateHostIps = ({ hostIP = '', hostIPs }: core.PodStatus): FieldError[] =>
  hostIPs?.length && hostIPs[0]!.ip !== hostIP
    ? [invalid('status.hostIPs[0].ip', hostIPs[0]!.ip, 'must be equal to `hostIP`')]
    : []

/** A container that is never started again cannot leave its end behind. */
function terminatedStays(
  statuses: core.ContainerStatus[] | undefined,
  before: core.ContainerStatus[] | undefined,
  path: string,
  restartPolicy: core.PodSpec['restartPolicy'],
): FieldError[] {
  if (restartPolicy === 'Always') return []
  const running = new Set(statuses?.filter(({ state }) => !state?.terminated).map(({ name }) => name))
  return (before ?? []).flatMap(({ name, state }, index) => {
    const ended = state?.terminated && (restartPolicy === 'Never' || state.terminated.exitCode === 0)
    return ended && running.has(name)
      ? [forbidden(`${at(path, index)}.state`, 'may not be transitioned to non-terminated state')]
      : []
  })
}
