import { type FieldError, names } from '../../api/index.ts'
import type { RequestInfo, User } from '../pipeline/context.ts'

/** How much is noted of a request, from nothing to all that was said. Source: audit.k8s.io/v1 Level */
export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof LEVELS)[number]

/** Source: audit.k8s.io/v1 Stage */
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof STAGES)[number]

interface GroupResources {
  group?: string
  /** `pods`, `pods/log`, `*`, `pods/*`, `*` + `/scale`; all when there are none. */
  resources?: string[]
  resourceNames?: string[]
}

interface Rule {
  level: Level
  users?: string[]
  userGroups?: string[]
  verbs?: string[]
  resources?: GroupResources[]
  namespaces?: string[]
  nonResourceURLs?: string[]
  omitStages?: Stage[]
  omitManagedFields?: boolean
}

/** Source: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Policy */
export interface Policy {
  rules: Rule[]
  omitStages?: Stage[]
  omitManagedFields?: boolean
}

/** What is noted of one request. */
export interface Judgement {
  level: Level
  omitted: Set<Stage>
  omitManagedFields: boolean
}

const NOTHING: Judgement = { level: 'None', omitted: new Set(STAGES), omitManagedFields: false }

/** The first rule that matches decides; what none is for is not noted. */
export function judge(policy: Policy, info: RequestInfo, user: User): Judgement {
  const rule = policy.rules.find(each => matches(each, info, user))
  if (!rule) return NOTHING
  return {
    level: rule.level,
    omitted: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  }
}

function matches(rule: Rule, info: RequestInfo, { name, groups }: User): boolean {
  if (rule.users?.length && !rule.users.includes(name)) return false
  if (rule.userGroups?.length && !groups.some(group => rule.userGroups!.includes(group))) return false
  if (rule.verbs?.length && !rule.verbs.includes(info.verb)) return false
  if (rule.namespaces?.length || rule.resources?.length) return matchesResource(rule, info)
  if (rule.nonResourceURLs?.length)
    return !info.isResourceRequest && rule.nonResourceURLs.some(url => matchesPath(url, info.path))
  return true
}

function matchesResource({ namespaces, resources }: Rule, info: RequestInfo): boolean {
  if (!info.isResourceRequest) return false
  if (namespaces?.length && !namespaces.includes(info.namespace)) return false
  if (!resources?.length) return true
  const { resource, subresource, name } = info
  const combined = subresource ? `${resource}/${subresource}` : resource
  return resources.some(({ group = '', resources: wanted = [], resourceNames = [] }) => {
    if (group !== info.group) return false
    if (!wanted.length) return true
    if (resourceNames.length && !resourceNames.includes(name)) return false
    return wanted.some(
      each =>
        each === '*' ||
        each === combined ||
        (subresource !== '' && (each === `*/${subresource}` || each === `${resource}/*`)),
    )
  })
}

const matchesPath = (url: string, path: string): boolean =>
  url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))

/** What is wrong with a policy. Source: k8s.io/apiserver/pkg/apis/audit/validation */
export function policyProblems({ rules, omitStages = [] }: Policy): FieldError[] {
  return [
    ...stageProblems('omitStages', omitStages),
    ...rules.flatMap((rule, index) => ruleProblems(`rules[${index}]`, rule)),
  ]
}

function ruleProblems(field: string, { level, nonResourceURLs = [], resources = [], namespaces = [], ...rule }: Rule) {
  const problems: FieldError[] = []
  if (!level) problems.push({ type: 'Required', field: `${field}.level`, detail: '' })
  else if (!LEVELS.includes(level))
    problems.push({
      type: 'NotSupported',
      field: `${field}.level`,
      value: level,
      detail: `supported values: ${LEVELS.map(each => JSON.stringify(each)).join(', ')}`,
    })
  problems.push(...nonResourceURLs.flatMap((url, at) => urlProblems(`${field}.nonResourceURLs[${at}]`, url)))
  problems.push(...resources.flatMap(each => resourceProblems(`${field}.resources`, each)))
  if (nonResourceURLs.length && (resources.length || namespaces.length))
    problems.push({
      type: 'Invalid',
      field: `${field}.nonResourceURLs`,
      value: nonResourceURLs,
      detail: 'rules cannot apply to both regular resources and non-resource URLs',
    })
  return [...problems, ...stageProblems(`${field}.omitStages`, rule.omitStages ?? [])]
}

function urlProblems(field: string, url: string): FieldError[] {
  if (url === '*') return []
  const invalid = (detail: string): FieldError[] => [{ type: 'Invalid', field, value: url, detail }]
  if (!url.startsWith('/')) return invalid("non-resource URL rules must begin with a '/' character")
  if (url.slice(0, -1).includes('*'))
    return invalid("non-resource URL wildcards '*' must be the final character of the rule")
  return []
}

function resourceProblems(field: string, { group = '', resources = [], resourceNames = [] }: GroupResources) {
  const problems: FieldError[] = []
  if (group)
    for (const detail of names.dns1123SubdomainProblems(group))
      problems.push({ type: 'Invalid', field: `${field}.group`, value: group, detail })
  if (resourceNames.length && !resources.length)
    problems.push({
      type: 'Invalid',
      field: `${field}.resourceNames`,
      value: resourceNames,
      detail: 'using resourceNames requires at least one resource',
    })
  return problems
}

const stageProblems = (field: string, stages: string[]): FieldError[] =>
  stages.flatMap((stage, index) =>
    STAGES.includes(stage as Stage)
      ? []
      : [
          {
            type: 'Invalid' as const,
            field: `${field}[${index}]`,
            value: stage,
            detail: `allowed stages are ${STAGES.join(',')}`,
          },
        ],
  )
