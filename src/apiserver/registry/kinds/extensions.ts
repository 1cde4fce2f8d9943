import { type apiregistration, type FieldError, names, withCondition } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { complaints, each, invalid, notSupported, required } from '../validation/field.ts'

/** What adds API groups that other servers serve. Source: k8s.io/kube-aggregator/pkg/apis */

const HTTPS = 443

/** Source: k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/helper NewLocalAvailableAPIServiceCondition */
const LOCALLY_AVAILABLE = {
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
}

/** Source: k8s.io/kube-aggregator/pkg/apis/apiregistration/validation */
function validateSpec(spec: apiregistration.APIServiceSpec): FieldError[] {
  const { group = '', version = '', groupPriorityMinimum: groupPriority = 0, versionPriority = 0 } = spec
  const problems: FieldError[] = []
  if (!group && version !== 'v1')
    problems.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  if (group) problems.push(...complaints('spec.group', group, names.dns1123SubdomainProblems(group)))
  problems.push(...complaints('spec.version', version, names.dns1035LabelProblems(version)))
  if (groupPriority < 1 || groupPriority > 20_000)
    problems.push(invalid('spec.groupPriorityMinimum', groupPriority, 'must be positive and less than 20000'))
  if (versionPriority < 1 || versionPriority > 1000)
    problems.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'))
  return [...problems, ...validateService(spec)]
}

function validateService({ service, caBundle, insecureSkipTLSVerify }: apiregistration.APIServiceSpec): FieldError[] {
  const insecure = 'spec.insecureSkipTLSVerify'
  const bytes = Buffer.from(caBundle ?? '', 'base64').length
  if (!service)
    return [
      ...(bytes ? [invalid('spec.caBundle', `${bytes} bytes`, 'local APIServices may not have a caBundle')] : []),
      ...(insecureSkipTLSVerify
        ? [invalid(insecure, true, 'local APIServices may not have insecureSkipTLSVerify')]
        : []),
    ]
  const { name, namespace, port = HTTPS } = service
  return [
    ...(namespace ? [] : [required('spec.service.namespace')]),
    ...(name ? [] : [required('spec.service.name')]),
    ...names.portNumberProblems(port).map(detail => invalid('spec.service.port', port, `port is not valid: ${detail}`)),
    ...(bytes && insecureSkipTLSVerify ? [invalid(insecure, true, 'may not be true if caBundle is present')] : []),
  ]
}

const STATUSES = ['True', 'False', 'Unknown']

export const apiServiceStrategy: Strategy<apiregistration.APIService> = {
  allowUnconditionalUpdate: false,
  nameProblems: names.pathSegmentProblems,
  defaults({ spec }) {
    if (spec.service) spec.service.port ??= HTTPS
  },
  // What this server serves itself needs nobody to look whether it can be reached.
  prepareCreate(object, { now }) {
    if (!object.spec.service) object.status = { conditions: [{ ...LOCALLY_AVAILABLE, lastTransitionTime: now }] }
  },
  prepareUpdate(object, _old, { now }) {
    if (!object.spec.service)
      object.status.conditions = withCondition(object.status.conditions, {
        ...LOCALLY_AVAILABLE,
        lastTransitionTime: now,
      })
  },
  validate({ metadata, spec }) {
    const name = `${spec.version ?? ''}.${spec.group ?? ''}`
    const named =
      metadata.name === name || names.pathSegmentProblems(metadata.name).length > 0
        ? []
        : [invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: "${name}"`)]
    return [...named, ...validateSpec(spec)]
  },
  validateStatusUpdate: ({ status }) =>
    each(status.conditions, 'status.conditions', ({ status: value }, path) =>
      STATUSES.includes(value) ? [] : [notSupported(`${path}.status`, value, STATUSES)],
    ),
  generation: false,
}
