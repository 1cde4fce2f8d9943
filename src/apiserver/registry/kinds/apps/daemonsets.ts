import type { apps, FieldError, meta } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { immutable, invalid, nonNegative, notSupported, required, same } from '../../validation/field.ts'
import { isZero, validateAmount, validateAtMostAll } from '../../validation/int-or-percent.ts'
import { validateDaemonWorkload } from '../../validation/pod-template.ts'
import { defaultPodTemplate } from '../core/pod-defaults.ts'
import { podSpecWarnings } from '../core/pod-warnings.ts'

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const

/** How often the template has changed: once a field of its own, which older clients still read. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

function setTemplateGeneration(metadata: meta.ObjectMeta, count: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(count) }
}

/** Source: k8s.io/kubernetes/pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation ValidateDaemonSet */
export const daemonSetStrategy: Strategy<apps.DaemonSet> = {
  defaults({ spec }) {
    defaultPodTemplate(spec.template)
    spec.revisionHistoryLimit ??= 10
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type !== 'RollingUpdate') return
    spec.updateStrategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...spec.updateStrategy.rollingUpdate }
  },
  validate: ({ spec }, old) => [
    ...(old ? immutable('spec.selector', spec.selector, old.spec.selector) : []),
    ...validateDaemonWorkload(spec),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateUpdateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ],
  prepareCreate: ({ metadata }) => setTemplateGeneration(metadata, 1),
  prepareUpdate({ metadata, spec }, old) {
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0)
    setTemplateGeneration(metadata, same(spec.template, old.spec.template) ? before : before + 1)
  },
  validateStatusUpdate: ({ status }) => COUNTS.flatMap(field => nonNegative(`status.${field}`, status[field])),
  warnings: ({ spec }) => podSpecWarnings(spec.template.spec, 'spec.template.spec'),
}

function validateUpdateStrategy({ type, rollingUpdate }: apps.DaemonSetUpdateStrategy, path: string): FieldError[] {
  if (type === 'OnDelete') return []
  if (type !== 'RollingUpdate') return [notSupported(path, { type }, ['RollingUpdate', 'OnDelete'])]
  const field = `${path}.rollingUpdate`
  if (!rollingUpdate) return [required(field)]
  const { maxUnavailable, maxSurge } = rollingUpdate
  const problems = [
    ...validateAmount(maxUnavailable, `${field}.maxUnavailable`),
    ...validateAmount(maxSurge, `${field}.maxSurge`),
    ...validateAtMostAll(maxUnavailable, `${field}.maxUnavailable`),
    ...validateAtMostAll(maxSurge, `${field}.maxSurge`),
  ]
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    problems.push(required(`${field}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  }
  // A node has room for the old pod and the new one only where their ports and volumes do not collide.
  if (!isZero(maxUnavailable) && !isZero(maxSurge)) {
    problems.push(invalid(`${field}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  }
  return problems
}
