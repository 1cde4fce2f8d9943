import type { core, FieldError } from '../../../../api/index.ts'
import { at, forbidden, invalid, same } from '../../validation/field.ts'
import { qosClass } from './qos.ts'

/** The rules of the subresources that change a part of the spec. */
export function validatePodPart(subresource: string, pod: core.Pod, old: core.Pod): FieldError[] {
  if (subresource === 'ephemeralcontainers') return validateEphemeralContainers(pod, old)
  return subresource === 'resize' ? validateResize(pod, old) : []
}

/** A static pod's mirror, which nothing but the node's own files can change. */
const isStatic = ({ metadata }: core.Pod) => metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined

/**
 * What was added for debugging stays as it is, until the pod goes.
 * Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePodEphemeralContainersUpdate
 */
export function validateEphemeralContainers(pod: core.Pod, old: core.Pod): FieldError[] {
  if (isStatic(pod)) return [forbidden('', 'static pods do not support ephemeral containers')]
  const now = new Map((pod.spec.ephemeralContainers ?? []).map(container => [container.name, container]))
  return (old.spec.ephemeralContainers ?? []).flatMap(container => {
    const found = now.get(container.name)
    if (found && same(found, container)) return []
    const what = found ? 'changed' : 'removed'
    return [
      forbidden(
        'spec.ephemeralContainers',
        `existing ephemeral containers ${JSON.stringify(container.name)} may not be ${what}\n`,
      ),
    ]
  })
}

const RESIZABLE = ['cpu', 'memory']

/**
 * CPU and memory may change, as long as the class of service stays and nothing is taken away.
 * Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePodResize
 */
export function validateResize(pod: core.Pod, old: core.Pod): FieldError[] {
  if (isStatic(old)) return [forbidden('', 'static pods cannot be resized')]
  const problems: FieldError[] = []
  if (qosClass(pod.spec) !== qosClass(old.spec))
    problems.push(invalid('spec', pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  const order = [...LISTS].reverse().flatMap(list => validateOrder(pod.spec[list], old.spec[list], list))
  if (order.length) return [...problems, ...order]
  for (const list of LISTS)
    for (const [index, container] of (pod.spec[list] ?? []).entries())
      problems.push(...validateRemoved(container, old.spec[list]![index]!, at(`spec.${list}`, index)))
  const changed = (list: (typeof LISTS)[number]) =>
    [...(pod.spec[list] ?? []).entries()].filter(
      ([index, container]) => !same(withoutSize(container), withoutSize(old.spec[list]![index]!)),
    )
  return [
    ...problems,
    ...changed('containers').map(() => forbidden('spec', 'only cpu and memory resources are mutable')),
    ...changed('initContainers').map(([index]) =>
      forbidden(
        at('spec.initContainers', index),
        'only cpu and memory resources for init or sidecar containers are mutable',
      ),
    ),
  ]
}

const LISTS = ['initContainers', 'containers'] as const

function validateOrder(
  now: core.Container[] = [],
  before: core.Container[] = [],
  list: (typeof LISTS)[number],
): FieldError[] {
  if (now.length !== before.length) return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)]
  return now.flatMap(({ name }, index) =>
    name === before[index]!.name
      ? []
      : [forbidden(`${at(`spec.${list}`, index)}.name`, `${list} may not be renamed or reordered on resize`)],
  )
}

/** A container as it would be if it had no CPU and no memory of its own. */
function withoutSize(container: core.Container): object {
  const rest = (amounts: Record<string, string> | undefined) =>
    Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => !RESIZABLE.includes(name)))
  const { requests, limits, ...resources } = container.resources
  return { ...container, resources: { ...resources, requests: rest(requests), limits: rest(limits) } }
}

const validateRemoved = (now: core.Container, before: core.Container, path: string): FieldError[] =>
  (['requests', 'limits'] as const).flatMap(kind =>
    Object.keys(before.resources[kind] ?? {}).every(name => now.resources[kind]?.[name] !== undefined)
      ? []
      : [forbidden(`${path}.resources.${kind}`, `resource ${kind} cannot be removed`)],
  )
