import { resources } from '../../../api/index.ts'
import type { Component } from '../../../base/index.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import { live } from '../../registry/live.ts'
import type { Registry } from '../../registry/registry.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { Equivalents } from '../match/rules.ts'
import type { AdmissionMetrics } from '../metrics.ts'
import { Definitions } from './definitions.ts'
import { changesOf, mutatingPolicies } from './mutating.ts'
import { reportTypes } from './status.ts'
import { checksOf, validatingPolicies } from './validating.ts'

/** The rules that ValidatingAdmissionPolicies and MutatingAdmissionPolicies write in CEL. */
export interface AdmissionPolicies extends Component {
  mutating: AdmissionPlugin
  validating: AdmissionPlugin
}

export interface PolicyOptions {
  registry: Registry
  authorizer: Authorizer
  equivalents: Equivalents
  metrics: AdmissionMetrics
}

export async function admissionPolicies(options: PolicyOptions): Promise<AdmissionPolicies> {
  const { registry, equivalents } = options
  const followed = await Promise.all([
    live(registry, resources.mutatingAdmissionPolicies),
    live(registry, resources.mutatingAdmissionPolicyBindings),
    live(registry, resources.validatingAdmissionPolicies),
    live(registry, resources.validatingAdmissionPolicyBindings),
  ])
  const [mutating, mutatingBindings, validating, validatingBindings] = followed
  reportTypes(registry, validating)
  return {
    mutating: mutatingPolicies(new Definitions(mutating, mutatingBindings, equivalents, changesOf), options),
    validating: validatingPolicies(new Definitions(validating, validatingBindings, equivalents, checksOf), options),
    async stop() {
      await Promise.all(followed.map(each => each.stop()))
    },
  }
}
