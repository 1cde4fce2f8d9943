import { type core, type FieldError, LabelSelector, type meta } from '../../../api/index.ts'
import { forbidden, invalid, notSupported, required } from './field.ts'
import { validatePodSpec } from './pod.ts'
import { isEmptySelector, validateAnnotations, validateLabelSelector, validateLabels } from './selectors.ts'

export function validatePodTemplate(template: core.PodTemplateSpec, path: string): FieldError[] {
  const problems = [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(template.spec, `${path}.spec`),
  ]
  if (template.spec.ephemeralContainers?.length) {
    problems.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  }
  return problems
}

interface Workload {
  selector?: meta.LabelSelector
  template: core.PodTemplateSpec
}

/** What upstream's messages differ in from one kind of workload to another. */
interface Words {
  /** Whose empty selector is invalid: `deployment`. */
  empty: string
  /** Where a deadline is not supported: `ReplicaSet`. */
  deadline: string
  /** What is said of a selector that cannot be read. */
  unreadable: string
}

const REPLICAS: Words = { empty: 'deployment', deadline: 'ReplicaSet', unreadable: 'invalid label selector' }
const STATEFUL: Words = { empty: 'statefulset', deadline: 'StatefulSet', unreadable: '' }

/** Selector and template of a workload that keeps its pods running for ever. */
export const validateWorkload = (workload: Workload): FieldError[] => validateSelected(workload, REPLICAS)

/** The same for a StatefulSet, whose pods get hostnames and volumes that their template need not have. */
export const validateStatefulWorkload = (workload: Workload): FieldError[] => validateSelected(workload, STATEFUL)

function validateSelected({ selector, template }: Workload, words: Words): FieldError[] {
  const problems: FieldError[] = []
  if (!selector) problems.push(required('spec.selector'))
  else {
    problems.push(...validateLabelSelector(selector, 'spec.selector'))
    if (isEmptySelector(selector))
      problems.push(invalid('spec.selector', selector, `empty selector is invalid for ${words.empty}`))
  }
  const parsed = parseSelector(selector)
  if (!parsed) return [...problems, invalid('spec.selector', selector, words.unreadable)]
  if (!selector || !parsed.isEverything) problems.push(...validateMatches(parsed, template, !selector))
  return [...problems, ...validateRunsForever(template, 'spec.template', words.deadline)]
}

/** As `validateWorkload`, for a DaemonSet, whose selector is looked at in another order. */
export function validateDaemonWorkload({ selector, template }: Workload): FieldError[] {
  const parsed = parseSelector(selector)
  const problems = validateLabelSelector(selector, 'spec.selector')
  if (parsed) problems.push(...validateMatches(parsed, template, selector === undefined))
  if (selector && isEmptySelector(selector))
    problems.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'))
  return [...problems, ...validateRunsForever(template, 'spec.template', 'DaemonSet')]
}

/** Or else a workload would make pods that it does not see, without end. */
function validateMatches(selector: LabelSelector, { metadata }: core.PodTemplateSpec, matchesNone = false) {
  const labels = metadata?.labels
  return selector.matches(labels) && !matchesNone
    ? []
    : [invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`')]
}

function parseSelector(selector: meta.LabelSelector | undefined): LabelSelector | undefined {
  try {
    return LabelSelector.of(selector)
  } catch {
    return undefined
  }
}

export function validateRunsForever(template: core.PodTemplateSpec, path: string, kind = 'ReplicaSet'): FieldError[] {
  const { restartPolicy, activeDeadlineSeconds } = template.spec
  const problems = validatePodTemplate(template, path)
  if (restartPolicy !== 'Always') problems.push(notSupported(`${path}.spec.restartPolicy`, restartPolicy, ['Always']))
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`
    problems.push(forbidden(`${path}.spec.activeDeadlineSeconds`, detail))
  }
  return problems
}
