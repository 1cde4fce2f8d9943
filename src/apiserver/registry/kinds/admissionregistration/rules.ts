import { type admissionregistration, type FieldError, type meta, names } from '../../../../api/index.ts'
import { complaints, duplicate, each, invalid, notSupported, required, unique } from '../../validation/field.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'

/** What webhooks and policies have in common. Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation */

export const FAILURE_POLICIES = ['Fail', 'Ignore']
export const MATCH_POLICIES = ['Equivalent', 'Exact']
export const REINVOCATION_POLICIES = ['IfNeeded', 'Never']
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const MUTABLE_OPERATIONS = OPERATIONS.filter(operation => operation !== 'DELETE')
const SCOPES = ['*', 'Cluster', 'Namespaced']

type Rule = admissionregistration.RuleWithOperations

export function defaultRules(rules: Rule[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*'
}

/** Of a field that defaults fill in: empty is no value either. */
export const supported = (field: string, value: string | undefined, values: readonly string[]): FieldError[] =>
  value !== undefined && !values.includes(value) ? [notSupported(field, value, values)] : []

/** A list that stands for everything has one item. */
const alone = (items: string[], field: string, what: string): FieldError[] =>
  items.length > 1 && items.includes('*')
    ? [invalid(field, items, `if '*' is present, must not specify other ${what}`)]
    : []

export function validateRule(rule: Rule, path: string): FieldError[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule
  const needed = (items: string[], field: string) => (items.length ? [] : [required(field)])
  return [
    ...needed(operations, `${path}.operations`),
    ...alone(operations, `${path}.operations`, 'operations'),
    ...each(operations, `${path}.operations`, (operation, field) => supported(field, operation, OPERATIONS)),
    ...needed(apiGroups, `${path}.apiGroups`),
    ...alone(apiGroups, `${path}.apiGroups`, 'API groups'),
    ...needed(apiVersions, `${path}.apiVersions`),
    ...alone(apiVersions, `${path}.apiVersions`, 'API versions'),
    ...each(apiVersions, `${path}.apiVersions`, (version, field) => (version ? [] : [required(field)])),
    ...needed(resources, `${path}.resources`),
    ...validateResources(resources, `${path}.resources`),
    ...supported(`${path}.scope`, scope, SCOPES),
  ]
}

/** `pods`, `pods/log`, `pods/*`, `*`, and `*` with a subresource or with all of them: none twice over. */
function validateResources(resources: string[], path: string): FieldError[] {
  const everyPartOf = new Set<string>()
  const partOfAll = new Set<string>()
  let plain = false
  const problems = each(resources, path, (name, field) => {
    if (name === '') return [required(field)]
    const slash = name.indexOf('/')
    if (slash < 0) {
      plain = name !== '*'
      return []
    }
    const [resource, part] = [name.slice(0, slash), name.slice(slash + 1)]
    const twice = (covering: string) => invalid(field, name, `if '${covering}' is present, must not specify ${name}`)
    const found = [
      ...(everyPartOf.has(resource) ? [twice(`${resource}/*`)] : []),
      ...(partOfAll.has(part) ? [twice(`*/${part}`)] : []),
    ]
    if (part === '*') everyPartOf.add(resource)
    if (resource === '*') partOfAll.add(part)
    return found
  })
  if (resources.length > 1 && resources.includes('*/*'))
    problems.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && plain)
    problems.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))
  return problems
}

const validateNamedRule = (rule: admissionregistration.NamedRuleWithOperations, path: string): FieldError[] => [
  ...each(rule.resourceNames, `${path}.resourceNames`, (name, field, index) => [
    ...complaints(field, name, names.pathSegmentProblems(name)),
    ...(rule.resourceNames!.indexOf(name) < index ? [duplicate(field, name)] : []),
  ]),
  ...validateRule(rule, path),
]

export function defaultMatch(match: admissionregistration.MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  defaultRules(match.resourceRules)
  defaultRules(match.excludeResourceRules)
}

export function validateMatch(match: admissionregistration.MatchResources | undefined, path: string): FieldError[] {
  if (!match) return []
  return [
    ...supported(`${path}.matchPolicy`, match.matchPolicy, MATCH_POLICIES),
    ...validateLabelSelector(match.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${path}.objectSelector`),
    ...each(match.resourceRules, `${path}.resourceRules`, validateNamedRule),
    ...each(match.excludeResourceRules, `${path}.excludeResourceRules`, validateNamedRule),
  ]
}

/** What is deleted cannot be changed. */
export const validateMutable = (match: admissionregistration.MatchResources | undefined, path: string): FieldError[] =>
  (match?.resourceRules ?? []).flatMap(({ operations }) =>
    (operations ?? []).flatMap(each => supported(`${path}.resourceRules.operations`, each, MUTABLE_OPERATIONS)),
  )

/** The problems of every item and, after them, that an earlier one has its name. */
export function withUniqueNames<T extends { name?: string }>(
  items: T[] | undefined,
  path: string,
  check: (item: T, path: string) => FieldError[],
): FieldError[] {
  const repeated = unique(items, path, ({ name }) => name, 'name')
  return each(items, path, (item, field) => [
    ...check(item, field),
    ...repeated.filter(problem => problem.field === `${field}.name`),
  ])
}

/** What an object that was there may keep when a label selector of it is not right. */
export const isBadSelector = (selector: meta.LabelSelector | undefined): boolean =>
  validateLabelSelector(selector, '').length > 0
