import { type admissionregistration, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import {
  complaints,
  duplicate,
  each,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
} from '../../validation/field.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'
import { defaultMatch, validateMatch, validateMutable } from './rules.ts'

/** Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation */

type Binding =
  | admissionregistration.ValidatingAdmissionPolicyBinding
  | admissionregistration.MutatingAdmissionPolicyBinding

const ACTIONS = ['Audit', 'Deny', 'Warn']
const EXCLUSIVE = 'name and selector are mutually exclusive'
const TWICE =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'

export const policyBindingStrategy: Strategy<Binding> = {
  allowUnconditionalUpdate: false,
  defaults: ({ spec }) => defaultMatch(spec.matchResources),
  validate({ spec, kind }) {
    const { policyName, paramRef, matchResources } = spec
    return [
      ...(policyName ? complaints('spec.policyName', policyName, names.dns1123SubdomainProblems(policyName)) : []),
      ...(paramRef ? validateParams(paramRef, 'spec.paramRef') : []),
      ...validateMatch(matchResources, 'spec.matchResources'),
      ...(kind === 'ValidatingAdmissionPolicyBinding'
        ? validateActions((spec as admissionregistration.ValidatingAdmissionPolicyBindingSpec).validationActions)
        : validateMutable(matchResources, 'spec.matchResources')),
      ...(policyName ? [] : [required('spec.policyName')]),
    ]
  },
}

function validateParams(params: admissionregistration.ParamRef, path: string): FieldError[] {
  const { name, selector, parameterNotFoundAction: action } = params
  return [
    ...(name ? complaints(`${path}.name`, name, names.pathSegmentProblems(name)) : []),
    ...(name && selector ? [forbidden(`${path}.name`, EXCLUSIVE)] : []),
    ...validateLabelSelector(selector, `${path}.selector`),
    ...(name && selector ? [forbidden(`${path}.selector`, EXCLUSIVE)] : []),
    ...(name || selector ? [] : [required(path, 'one of name or selector must be specified')]),
    ...oneOf(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow']),
  ]
}

function validateActions(actions: string[] = []): FieldError[] {
  const field = 'spec.validationActions'
  if (actions.length === 0) return [required(field, 'at least one validation action is required')]
  const problems = each(actions, field, (action, path, index) => [
    ...(ACTIONS.includes(action) ? [] : [notSupported(path, action, ACTIONS)]),
    ...(actions.indexOf(action) < index ? [duplicate(path, action)] : []),
  ])
  return actions.includes('Deny') && actions.includes('Warn') ? [...problems, invalid(field, actions, TWICE)] : problems
}
