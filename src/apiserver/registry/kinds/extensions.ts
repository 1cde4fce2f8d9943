import { type apiregistration, type FieldError, names, withCondition } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { invalid, required } from '../validation/field.ts'

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
function validateService({ service, caBundle, insecureSkipTLSVerify }: apiregistration.APIServiceSpec): FieldError[] {
  const insecure = 'spec.insecureSkipTLSVerify'
  if (!service)
    return [
      ...(caBundle ? [invalid('spec.caBundle', caBundle, 'local APIServices may not have a caBundle')] : []),
      ...(insecureSkipTLSVerify
        ? [invalid(insecure, true, 'local APIServices may not have insecureSkipTLSVerify')]
        : []),
    ]
  const { name, namespace, port = HTTPS } = service
  return [
    ...(namespace ? [] : [required('spec.service.namespace')]),
    ...(name ? [] : [required('spec.service.name')]),
    ...(port >= 1 && port <= 65_535
      ? []
      : [invalid('spec.service.port', port, 'port is not valid: must be between 1 and 65535, inclusive')]),
    ...(caBundle && insecureSkipTLSVerify ? [invalid(insecure, true, 'may not be true if caBundle is present')] : []),
  ]
}

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
    const { group = '', version = '' } = spec
    const problems = [...validateService(spec)]
    if (metadata.name !== `${version}.${group}`) {
      problems.push(
        invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: "${version}.${group}"`),
      )
    }
    if (spec.groupPriorityMinimum < 1 || spec.groupPriorityMinimum > 20_000) {
      problems.push(
        invalid('spec.groupPriorityMinimum', spec.groupPriorityMinimum, 'must be positive and less than 20000'),
      )
    }
    if (spec.versionPriority < 1 || spec.versionPriority > 1000) {
      problems.push(invalid('spec.versionPriority', spec.versionPriority, 'must be positive and less than 1000'))
    }
    return problems
  },
  generation: false,
}
