import { isDeepStrictEqual } from 'node:util'
import type { apps, core } from '../../api/index.ts'

/** The annotations by which a rollout's history is kept: `kubectl rollout history` and `undo` read them. */
export const REVISION = 'deployment.kubernetes.io/revision'
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
export const TEMPLATE_HASH = 'pod-template-hash'

/** Characters; upstream's maxRevHistoryLengthInChars. */
const LONGEST_HISTORY = 2000

/** What is about the Deployment itself and not about the revision. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
])

export const revisionOf = (replicaSet: apps.ReplicaSet): number =>
  Number(replicaSet.metadata.annotations?.[REVISION] ?? 0)

/** The ReplicaSet of the present template. Of several (a hash once collided), the oldest. */
export const newReplicaSetOf = (deployment: apps.Deployment, all: apps.ReplicaSet[]): apps.ReplicaSet | undefined =>
  all.toSorted(byAge).find(({ spec }) => sameTemplate(spec.template, deployment.spec.template))

export const byAge = (a: apps.ReplicaSet, b: apps.ReplicaSet): number =>
  compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
  compareText(a.metadata.name, b.metadata.name)

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

export const sameTemplate = (a: core.PodTemplateSpec, b: core.PodTemplateSpec): boolean =>
  isDeepStrictEqual(withoutHash(a), withoutHash(b))

function withoutHash(template: core.PodTemplateSpec): core.PodTemplateSpec {
  const { [TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}

/** The next revision: one more than the newest of the old ones. */
export const nextRevision = (old: apps.ReplicaSet[]): number => Math.max(0, ...old.map(revisionOf)) + 1

/** The annotations of the new ReplicaSet: the Deployment's own (such as the change cause), and its revision. */
export function annotationsFor(
  deployment: apps.Deployment,
  revision: number,
  current: Record<string, string> = {},
): Record<string, string> {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !NOT_COPIED.has(name))
  const annotations = { ...current, ...Object.fromEntries(copied) }
  const before = Number(current[REVISION] ?? 0)
  if (before >= revision) return annotations
  annotations[REVISION] = String(revision)
  if (before > 0) annotations[REVISION_HISTORY] = appendHistory(current[REVISION_HISTORY], before)
  return annotations
}

/** A rollback makes an old revision the newest; which ones it was before stays on record, the oldest fall off. */
function appendHistory(history: string | undefined, revision: number): string {
  const revisions = history ? history.split(',') : []
  revisions.push(String(revision))
  while (revisions.join(',').length > LONGEST_HISTORY) revisions.shift()
  return revisions.join(',')
}

/** A hash of the template for names and labels, in the alphabet of generated names. */
export function templateHash(template: core.PodTemplateSpec, collisionCount: number | undefined): string {
  const text = `${canonical(withoutHash(template))}${collisionCount ?? ''}`
  return String(fnv1a(text)).replace(/\d/g, digit => SAFE[digit.charCodeAt(0) % SAFE.length]!)
}

/** No vowels: no hash spells a word. Source: k8s.io/apimachinery/pkg/util/rand SafeEncodeString */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789'

/** JSON with sorted keys, so that equal templates have equal texts. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical)}]`
  const fields = Object.entries(value).sort(([a], [b]) => compareText(a, b))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`)}}`
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}
