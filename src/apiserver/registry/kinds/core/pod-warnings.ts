import type { core } from '../../../../api/index.ts'
import { parseQuantity } from '../../../../api/index.ts'
import { at, own } from '../../validation/field.ts'

/** What is accepted and probably not meant. Source: k8s.io/kubernetes/pkg/api/pod/warnings.go */

const OLD_LABELS: Record<string, [since: string, instead: string]> = {
  'beta.kubernetes.io/arch': ['v1.14', 'kubernetes.io/arch'],
  'beta.kubernetes.io/os': ['v1.14', 'kubernetes.io/os'],
  'failure-domain.beta.kubernetes.io/region': ['v1.17', 'topology.kubernetes.io/region'],
  'failure-domain.beta.kubernetes.io/zone': ['v1.17', 'topology.kubernetes.io/zone'],
  'beta.kubernetes.io/instance-type': ['v1.17', 'node.kubernetes.io/instance-type'],
}

export function podSpecWarnings(spec: core.PodSpec | undefined, path: string): string[] {
  if (!spec) return []
  const warnings = Object.keys(spec.nodeSelector ?? {}).flatMap(key => {
    const old = own(OLD_LABELS, key)
    return old ? [`${at(`${path}.nodeSelector`, key)}: deprecated since ${old[0]}; use "${old[1]}" instead`] : []
  })
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    )
  }
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    if (volume.gitRepo)
      warnings.push(`${at(`${path}.volumes`, index)}.gitRepo: deprecated in v1.11, and disabled by default in v1.33+`)
  }
  for (const kind of ['initContainers', 'containers'] as const) {
    for (const [index, container] of (spec[kind] ?? []).entries()) {
      warnings.push(...containerWarnings(container, at(`${path}.${kind}`, index)))
    }
  }
  return warnings
}

function containerWarnings({ env, ports, resources }: core.Container, path: string): string[] {
  return [...environmentWarnings(env, path), ...portWarnings(ports, path), ...byteWarnings(resources, path)]
}

function environmentWarnings(env: core.EnvVar[] | undefined, path: string): string[] {
  const seen = new Set<string>()
  return (env ?? []).flatMap(({ name, value = '' }, index) => {
    const hides = seen.has(name) && !value.includes(`$(${name})`)
    seen.add(name)
    return hides
      ? [`${at(`${path}.env`, index)}: hides previous definition of "${name}", which may be dropped when using apply`]
      : []
  })
}

function portWarnings(ports: core.ContainerPort[] | undefined, path: string): string[] {
  const seen = new Map<string, string>()
  return (ports ?? []).flatMap(({ containerPort, protocol, hostPort, hostIP }, index) => {
    const here = at(`${path}.ports`, index)
    const key = [containerPort, protocol, hostPort, hostIP].join('/')
    const first = seen.get(key)
    if (!first) seen.set(key, here)
    return first ? [`${here}: duplicate port definition with ${first}`] : []
  })
}

/** A tenth of a byte is what `100m` of memory means. */
function byteWarnings(resources: core.ResourceRequirements | undefined, path: string): string[] {
  return (['limits', 'requests'] as const).flatMap(list =>
    ['memory', 'ephemeral-storage'].flatMap(name => {
      const amount = resources?.[list]?.[name]
      const whole = amount === undefined || parseQuantity(amount).nano % 1_000_000_000n === 0n
      return whole
        ? []
        : [`${at(`${path}.resources.${list}`, name)}: fractional byte value "${amount}" is invalid, must be an integer`]
    }),
  )
}
