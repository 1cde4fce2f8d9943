import type { core, meta } from '../../../api/index.ts'

/** What runs, or will: a pod, or the template of one. */
export interface Runs {
  metadata?: Pick<meta.ObjectMeta, 'annotations'>
  spec: core.PodSpec
}

/** What a standard has against a pod: `privileged`, and in which of its parts. */
export interface Finding {
  reason: string
  detail: string
}

export type Judge = (pod: Runs) => Finding | undefined

/**
 * One check of a Pod Security Standard.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export interface Check {
  /** Findings are told in the order of these. */
  id: string
  /** By the minor version of Kubernetes that judges so first, oldest first. */
  since: [minor: number, judge: Judge][]
  /** The check of the baseline whose place it takes, being stricter. */
  replaces?: string
}

export type Container = core.Container | core.EphemeralContainer

export const containersOf = ({ spec }: Runs): Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
]

/** Those that are not as they should be, by name. */
export const containersWith = (pod: Runs, bad: (container: Container) => boolean): string[] =>
  containersOf(pod)
    .filter(bad)
    .map(({ name }) => name)

export const quoted = (items: Iterable<string>): string => [...items].map(item => `"${item}"`).join(', ')

export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many)

/** `containers "a", "b"` */
export const named = (names: string[], kind = 'container'): string => `${plural(names.length, kind)} ${quoted(names)}`

/** `pod and container "a"`: who has set what it may not; empty when nobody has. */
export const setters = (pod: boolean, containers: string[]): string =>
  [...(pod ? ['pod'] : []), ...(containers.length ? [named(containers)] : [])].join(' and ')

/** Each once, in order. */
export const distinct = (items: Iterable<string>): string[] => [...new Set(items)].sort()

/** As Windows knows none of this, it cannot be asked for there. */
export const unlessWindows =
  (judge: Judge): Judge =>
  pod =>
    pod.spec.os?.name === 'windows' ? undefined : judge(pod)

/** Who is root in a user namespace is nobody outside of it. Source: https://kep.k8s.io/127 */
export const unlessUserNamespace =
  (judge: Judge): Judge =>
  pod =>
    pod.spec.hostUsers === false ? undefined : judge(pod)
