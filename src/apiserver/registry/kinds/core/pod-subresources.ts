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
  for (const list of ['containers', 'initContainers'] as const)
    for (const [index, container] of (pod.spec[list] ?? []).entries()) {
      const before = old.spec[list]?.[index]
      if (before) problems.push(...validateContainer(container, before, at(`spec.${list}`, index)))
    }
  const before = qosClass(old.spec)
  if (qosClass(pod.spec) !== before)
    problems.push(invalid('spec', before, 'Pod QOS Class may not change as a result of resizing'))
  return problems
}

function validateContainer(container: core.Container, before: core.Container, path: string): FieldError[] {
  const problems: FieldError[] = []
  for (const kind of ['requests', 'limits'] as const) {
    const [now, then] = [container.resources[kind] ?? {}, before.resources[kind] ?? {}]
    for (const name of new Set([...Object.keys(now), ...Object.keys(then)])) {
      if (same(now[name], then[name])) continue
      if (!RESIZABLE.includes(name)) problems.push(forbidden('spec', 'only cpu and memory resources are mutable'))
      else if (now[name] === undefined)
        problems.push(forbidden(`${path}.resources.${kind}`, `resource ${kind} cannot be removed`))
    }
  }
  return problems
}
