import type { apiextensions, apiregistration } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { immutable, invalid, oneOf, required } from '../validation/field.ts'

/** What adds kinds to the API. Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions, k8s.io/kube-aggregator/pkg/apis */

const HTTPS = 443

export const customResourceDefinitionStrategy: Strategy<apiextensions.CustomResourceDefinition> = {
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    spec.names.singular ||= spec.names.kind?.toLowerCase()
    spec.names.listKind ||= spec.names.kind && `${spec.names.kind}List`
    spec.conversion ??= { strategy: 'None' }
    const service = spec.conversion.webhook?.clientConfig?.service
    if (service) service.port ??= HTTPS
  },
  validate({ metadata, spec }) {
    const problems = oneOf('spec.scope', spec.scope, ['Cluster', 'Namespaced'])
    if (!spec.group) problems.push(required('spec.group'))
    for (const field of ['plural', 'kind'] as const) {
      if (!spec.names[field]) problems.push(required(`spec.names.${field}`))
    }
    if (metadata.name !== `${spec.names.plural}.${spec.group}`) {
      problems.push(invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
    }
    if (spec.versions?.filter(({ storage }) => storage).length !== 1) {
      problems.push(
        invalid('spec.versions', spec.versions ?? [], 'must have exactly one version marked as storage version'),
      )
    }
    return problems
  },
  validateUpdate: ({ spec }, { spec: old }) => [
    ...immutable('spec.group', spec.group, old.group),
    ...immutable('spec.names.plural', spec.names.plural, old.names.plural),
    ...immutable('spec.names.kind', spec.names.kind, old.names.kind),
    ...immutable('spec.scope', spec.scope, old.scope),
  ],
}

export const apiServiceStrategy: Strategy<apiregistration.APIService> = {
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    if (spec.service) spec.service.port ??= HTTPS
  },
  validate({ metadata, spec }) {
    const { group = '', version = '' } = spec
    const problems = []
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
