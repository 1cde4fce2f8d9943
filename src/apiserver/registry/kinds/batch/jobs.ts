import { type batch, type FieldError, LabelSelector, type meta, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import {
  at,
  IMMUTABLE,
  immutable,
  invalid,
  nonNegative,
  notSupported,
  required,
  same,
  tooLong,
} from '../../validation/field.ts'
import { validatePodTemplate } from '../../validation/pod-template.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'
import { defaultPodTemplate } from '../core/pod-defaults.ts'
import { podSpecWarnings } from '../core/pod-warnings.ts'
import { validateFailurePolicy, validateSuccessPolicy } from './policies.ts'

type Job = batch.Job

const NAME_LABELS = ['batch.kubernetes.io/job-name', 'job-name']
const UID_LABELS = ['batch.kubernetes.io/controller-uid', 'controller-uid']
const MOST_PARALLEL_INDEXES = 100_000
const LARGEST_INT32 = 2 ** 31 - 1
const MOST_FAILED_INDEXES = 100_000
const MANY_COMPLETIONS = 100_000
const PARALLEL_OF_MANY = 10_000
const FAILED_OF_MANY = 10_000
const LONGEST_MANAGER = 63
const HTTP_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/
const BAD_PATH = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"

/** Source: k8s.io/kubernetes/pkg/apis/batch/v1/defaults.go, pkg/registry/batch/job/strategy.go, pkg/apis/batch/validation */
export const jobStrategy: Strategy<Job> = {
  defaults: defaultJob,

  prepareCreate(job) {
    if (!job.spec.manualSelector) generateSelector(job)
  },

  validate: job => [...validateJobSpec(job.spec, 'spec'), ...validateSelector(job)],
  validateUpdate: validateJobUpdate,
  warnings: ({ spec }) => podSpecWarnings(spec.template.spec, 'spec.template.spec'),
  // As batch/v1 has always done; kubectl asks for the background by itself.
  defaultPropagation: 'orphan',
  fields: ({ status }) => ({ 'status.successful': String(status.succeeded ?? 0) }),
}

function defaultJob({ metadata, spec }: Job): void {
  defaultJobTemplate(spec)
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : LARGEST_INT32
  spec.completionMode ||= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  const { labels } = spec.template.metadata ?? {}
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = labels
}

/** What also a job inside a CronJob gets. */
export function defaultJobTemplate(spec: batch.JobSpec): void {
  defaultPodTemplate(spec.template)
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True'
  }
}

/** Pods are told apart by the uid of their job, so that two jobs never count each other's. */
function generateSelector({ metadata, spec }: Job): void {
  const { template, selector } = spec
  // What was taken from the template on the way in follows it.
  const follows = !metadata.labels || metadata.labels === template.metadata?.labels
  template.metadata = { ...template.metadata, labels: { ...ownLabels(metadata), ...template.metadata?.labels } }
  const matchLabels = { [UID_LABELS[0]!]: metadata.uid, ...selector?.matchLabels }
  spec.selector = { ...selector, matchLabels }
  if (follows) metadata.labels = { ...template.metadata.labels }
}

const ownLabels = ({ name, uid }: meta.ObjectMeta): Record<string, string> =>
  Object.fromEntries([...NAME_LABELS.map(key => [key, name]), ...UID_LABELS.map(key => [key, uid])])

function validateSelector({ metadata, spec }: Job): FieldError[] {
  const { selector, template } = spec
  if (!selector) return [required('spec.selector')]
  const problems = validateLabelSelector(selector, 'spec.selector')
  if (problems.length) return problems
  const labels = template.metadata?.labels ?? {}
  const path = 'spec.template.metadata.labels'
  if (!spec.manualSelector) {
    for (const [key, value] of Object.entries(ownLabels(metadata))) {
      if (labels[key] !== value) problems.push(invalid(at(path, key), labels[key] ?? '', `must be '${value}'`))
    }
  }
  return LabelSelector.of(selector).matches(labels)
    ? problems
    : [...problems, invalid(path, labels, '`selector` does not match template `labels`')]
}

export function validateJobSpec(spec: batch.JobSpec, path: string): FieldError[] {
  const counts = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const
  return [
    ...counts.flatMap(field => nonNegative(`${path}.${field}`, spec[field])),
    ...(spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined
      ? [required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified')]
      : []),
    ...validateManager(spec.managedBy, `${path}.managedBy`),
    ...validateIndexes(spec, path),
    ...validateFailurePolicy(spec, `${path}.podFailurePolicy`),
    ...validateSuccessPolicy(spec, `${path}.successPolicy`),
    ...validateReplacement(spec, `${path}.podReplacementPolicy`),
    ...validatePodTemplate(spec.template, `${path}.template`),
    ...validateRestartPolicy(spec, path),
  ]
}

function validateIndexes(spec: batch.JobSpec, path: string): FieldError[] {
  const { completionMode: mode, completions, parallelism = 0 } = spec
  const problems: FieldError[] = []
  if (mode && mode !== 'Indexed' && mode !== 'NonIndexed') {
    problems.push(notSupported(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']))
  }
  if (mode === 'Indexed') {
    if (completions === undefined) problems.push(required(`${path}.completions`, `when completion mode is ${mode}`))
    if (parallelism > MOST_PARALLEL_INDEXES) {
      const detail = `must be less than or equal to ${MOST_PARALLEL_INDEXES} when completion mode is ${mode}`
      problems.push(invalid(`${path}.parallelism`, parallelism, detail))
    }
    return [...problems, ...validateFailedIndexes(spec, path)]
  }
  if (spec.backoffLimitPerIndex !== undefined) {
    problems.push(
      invalid(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, 'requires indexed completion mode'),
    )
  }
  if (spec.maxFailedIndexes !== undefined) {
    problems.push(invalid(`${path}.maxFailedIndexes`, spec.maxFailedIndexes, 'requires indexed completion mode'))
  }
  return problems
}

function validateFailedIndexes({ completions, maxFailedIndexes: most, ...spec }: batch.JobSpec, path: string) {
  const field = `${path}.maxFailedIndexes`
  const problems: FieldError[] = []
  if (completions !== undefined && most !== undefined && most > completions) {
    problems.push(invalid(field, most, 'must be less than or equal to completions'))
  }
  if (most !== undefined && most > MOST_FAILED_INDEXES) {
    problems.push(invalid(field, most, `must be less than or equal to ${MOST_FAILED_INDEXES}`))
  }
  if (spec.backoffLimitPerIndex === undefined || (completions ?? 0) <= MANY_COMPLETIONS) return problems
  const many = `when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`
  if (most === undefined) {
    problems.push(required(field, `must be specified when completions is above ${MANY_COMPLETIONS}`))
  }
  const { parallelism = 0 } = spec
  if (parallelism > PARALLEL_OF_MANY) {
    const detail = `must be less than or equal to ${PARALLEL_OF_MANY} ${many}`
    problems.push(invalid(`${path}.parallelism`, parallelism, detail))
  }
  if (most !== undefined && most > FAILED_OF_MANY) {
    problems.push(invalid(field, most, `must be less than or equal to ${FAILED_OF_MANY} ${many}`))
  }
  return problems
}

/** `example.com/controller`: who looks after the job instead of the Job controller. */
function validateManager(manager: string | undefined, field: string): FieldError[] {
  if (manager === undefined) return []
  return [
    ...domainPathProblems(manager, field),
    ...(manager.length > LONGEST_MANAGER ? [tooLong(field, '', LONGEST_MANAGER)] : []),
  ]
}

function domainPathProblems(value: string, field: string): FieldError[] {
  if (!value) return [required(field)]
  const [domain = '', ...rest] = value.split('/')
  const path = rest.join('/')
  if (!domain || !path) return [invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  return [
    ...names.dns1123SubdomainProblems(domain).map(problem => invalid(field, domain, problem)),
    ...(HTTP_PATH.test(path) ? [] : [invalid(field, path, BAD_PATH)]),
  ]
}

function validateReplacement({ podReplacementPolicy: policy, podFailurePolicy }: batch.JobSpec, field: string) {
  const supported = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  return policy === undefined || supported.includes(policy) ? [] : [notSupported(field, policy, supported)]
}

function validateRestartPolicy({ template, podFailurePolicy }: batch.JobSpec, path: string): FieldError[] {
  const field = `${path}.template.spec.restartPolicy`
  const { restartPolicy } = template.spec
  if (restartPolicy === 'Always') return [required(field, 'valid values: "OnFailure", "Never"')]
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never') {
    return [notSupported(field, restartPolicy, ['OnFailure', 'Never'])]
  }
  return podFailurePolicy && restartPolicy !== 'Never'
    ? [invalid(field, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')]
    : []
}

function validateJobUpdate({ spec }: Job, { spec: old, status }: Job): FieldError[] {
  const problems = [
    ...validateCompletions(spec, old),
    ...immutable('spec.selector', spec.selector, old.selector),
    ...validateTemplateUpdate(spec, old, status),
    ...immutable('spec.completionMode', spec.completionMode, old.completionMode),
    ...immutable('spec.podFailurePolicy', spec.podFailurePolicy, old.podFailurePolicy),
    ...immutable('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, old.backoffLimitPerIndex),
    ...immutable('spec.managedBy', spec.managedBy, old.managedBy),
    ...immutable('spec.successPolicy', spec.successPolicy, old.successPolicy),
  ]
  return problems
}

/** An indexed job may grow and shrink as long as its parallelism goes with it. */
function validateCompletions(spec: batch.JobSpec, old: batch.JobSpec): FieldError[] {
  if (spec.completions === old.completions) return []
  const field = 'spec.completions'
  if (spec.completionMode !== 'Indexed') return [invalid(field, spec.completions ?? null, IMMUTABLE)]
  return spec.completions === undefined || spec.completions === spec.parallelism
    ? []
    : [invalid(field, spec.completions, `can only be modified in tandem with spec.parallelism`)]
}

/** Where a job that has not started yet may run is still open. */
function validateTemplateUpdate(spec: batch.JobSpec, old: batch.JobSpec, status: batch.JobStatus): FieldError[] {
  if (same(spec.template, old.template)) return []
  const held = old.suspend && status.startTime === undefined
  if (!held) return [invalid('spec.template', spec.template, IMMUTABLE)]
  const { nodeSelector, tolerations, affinity, schedulingGates } = spec.template.spec
  const allowed = {
    metadata: {
      ...old.template.metadata,
      labels: spec.template.metadata?.labels,
      annotations: spec.template.metadata?.annotations,
    },
    spec: { ...old.template.spec, nodeSelector, tolerations, affinity, schedulingGates },
  }
  return same(spec.template, allowed) ? [] : [invalid('spec.template', spec.template, IMMUTABLE)]
}
