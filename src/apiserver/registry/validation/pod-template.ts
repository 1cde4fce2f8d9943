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

/**
 * Selector and template of a workload that keeps its pods running for ever.
 * `kind` is how upstream's messages name it: `deployment`.
 */
export function validateWorkload({ selector, template }: Workload, kind: string): FieldError[] {
  const problems: FieldError[] = []
  if (!selector) problems.push(required('spec.selector'))
  else {
    problems.push(...validateLabelSelector(selector, 'spec.selector'))
    if (isEmptySelector(selector))
      problems.push(invalid('spec.selector', selector, `empty selector is invalid for ${kind}`))
  }
  return [...problems, ...validateMatches(selector, template), ...validateRunsForever(template, 'spec.template')]
}

/** Or else a workload would make pods that it does not see, without end. */
function validateMatches(selector: meta.LabelSelector | undefined, template: core.PodTemplateSpec): FieldError[] {
  const labels = template.metadata?.labels
  const parsed = parseSelector(selector)
  if (!parsed) return [invalid('spec.selector', selector, 'invalid label selector')]
  if (parsed.isEverything || parsed.matches(labels)) return []
  return [invalid('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`')]
}

function parseSelector(selector: meta.LabelSelector | undefined): LabelSelector | undefined {
  try {
    return LabelSelector.of(selector)
  } catch {
    return undefined
  }
}

export function validateRunsForever(template: core.PodTemplateSpec, path: string): FieldError[] {
  const { restartPolicy, activeDeadlineSeconds } = template.spec
  const problems = validatePodTemplate(template, path)
  if (restartPolicy !== 'Always') problems.push(notSupported(`${path}.spec.restartPolicy`, restartPolicy, ['Always']))
  if (activeDeadlineSeconds !== undefined) {
    problems.push(
      forbidden(`${path}.spec.activeDeadlineSeconds`, 'activeDeadlineSeconds in ReplicaSet is not Supported'),
    )
  }
  return problems
}
