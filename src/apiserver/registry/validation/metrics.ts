import { type autoscaling, type FieldError, names, quantity } from '../../../api/index.ts'
import { complaints, forbidden, invalid, notSupported, required } from './field.ts'
import { validateContainerResourceName } from './resources.ts'

/** What an autoscaler looks at. Source: k8s.io/kubernetes/pkg/apis/autoscaling/validation validateMetricSpec */

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue']

/** In the order in which they are looked at. */
const SOURCES = ['object', 'external', 'pods', 'resource', 'containerResource'] as const
type Source = (typeof SOURCES)[number]

const fieldOf = (type: string) => `${type.slice(0, 1).toLowerCase()}${type.slice(1)}` as Source

export function validateMetric(metric: autoscaling.MetricSpec, path: string): FieldError[] {
  const { type } = metric
  const known = METRIC_TYPES.includes(type)
  const unknown = notSupported(`${path}.type`, type, METRIC_TYPES)
  const problems = type ? [] : [required(`${path}.type`, 'must specify a metric source type')]
  if (!known) problems.push(unknown)
  const given = SOURCES.filter(source => metric[source])
  const [first] = given
  if (first) problems.push(...validateSource(first, metric, `${path}.${first}`))
  const expected = fieldOf(type)
  // Upstream says it twice.
  if (!known) problems.push(unknown)
  else if (!metric[expected]) {
    problems.push(required(`${path}.${expected}`, 'must populate information for the given metric source'))
  }
  const others = given.length === 1 ? [] : given.filter(source => source !== expected)
  return [
    ...problems,
    ...others.map(source => forbidden(`${path}.${source}`, 'must populate the given metric source only')),
  ]
}

function validateSource(source: Source, metric: autoscaling.MetricSpec, path: string): FieldError[] {
  if (source === 'resource' || source === 'containerResource') return validateResource(source, metric[source]!, path)
  const { metric: identifier, target } = metric[source]!
  const field = `${path}.target`
  const { value, averageValue } = target
  const problems = [
    ...(source === 'object' ? validateReference(metric.object!.describedObject, `${path}.describedObject`, false) : []),
    ...validateIdentifier(identifier, `${path}.metric`),
    ...validateTarget(target, field),
  ]
  const missing = averageValue === undefined && (value === undefined || source === 'pods')
  if (missing) problems.push(required(`${field}.averageValue`, MISSING[source]))
  if (source === 'external' && value !== undefined && averageValue !== undefined) {
    const detail = 'may not set both a target value for metric and a per-pod target'
    problems.push(forbidden(`${field}.value`, detail))
  }
  return problems
}

const MISSING = {
  object: 'must set either a target value or averageValue',
  external: 'must set either a target value for metric or a per-pod target',
  pods: 'must specify a positive target averageValue',
}

function validateResource(
  source: 'resource' | 'containerResource',
  { name, target, ...rest }: autoscaling.ResourceMetricSource | autoscaling.ContainerResourceMetricSource,
  path: string,
): FieldError[] {
  const problems = name ? [] : [required(`${path}.name`, 'must specify a resource name')]
  if (source === 'containerResource') {
    if (name) problems.push(...validateContainerResourceName(name, `${path}.name`))
    const { container } = rest as Pick<autoscaling.ContainerResourceMetricSource, 'container'>
    const field = `${path}.container`
    if (!container) problems.push(required(field, 'must specify a container'))
    else problems.push(...complaints(field, container, names.dns1123LabelProblems(container)))
  }
  const field = `${path}.target`
  problems.push(...validateTarget(target, field))
  const [share, amount] = [target.averageUtilization !== undefined, target.averageValue !== undefined]
  if (!share && !amount) {
    const detail = 'must set either a target raw value or a target utilization'
    problems.push(required(`${field}.averageUtilization`, detail))
  }
  if (share && amount) {
    const detail = 'may not set both a target raw value and a target utilization'
    problems.push(forbidden(`${field}.averageValue`, detail))
  }
  return problems
}

function validateTarget(target: autoscaling.MetricTarget, path: string): FieldError[] {
  const { type, averageUtilization: share } = target
  const problems = type ? [] : [required(`${path}.type`, 'must specify a metric target type')]
  if (!TARGET_TYPES.includes(type)) {
    problems.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  }
  for (const field of ['value', 'averageValue'] as const) {
    const amount = target[field]
    if (amount !== undefined && quantity.compare(amount, quantity.zero) <= 0) {
      problems.push(invalid(`${path}.${field}`, amount, 'must be positive'))
    }
  }
  if (share !== undefined && share < 1) {
    problems.push(invalid(`${path}.averageUtilization`, share, 'must be greater than 0'))
  }
  return problems
}

const validateIdentifier = ({ name }: autoscaling.MetricIdentifier, path: string): FieldError[] =>
  name
    ? complaints(`${path}.name`, name, names.pathSegmentProblems(name))
    : [required(`${path}.name`, 'must specify a metric name')]

/** An object by its kind and name. `inGroup`: the version has to say which group it is of. */
export function validateReference(
  reference: Partial<autoscaling.CrossVersionObjectReference> = {},
  path: string,
  inGroup: boolean,
): FieldError[] {
  const { apiVersion = '' } = reference
  const problems = (['kind', 'name'] as const).flatMap(field => {
    const value = reference[field]
    const at = `${path}.${field}`
    return value ? complaints(at, value, names.pathSegmentProblems(value)) : [required(at)]
  })
  const field = `${path}.apiVersion`
  if (apiVersion.split('/').length > 2) {
    return [...problems, invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  }
  return inGroup && !/^.+\//.test(apiVersion)
    ? [...problems, invalid(field, apiVersion, 'apiVersion must specify API group')]
    : problems
}
