import { type FieldError, type flowcontrol, names } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { complaints, each, forbidden, invalid, notSupported, oneOf, required, unique } from '../validation/field.ts'

/** Source: k8s.io/kubernetes/pkg/apis/flowcontrol/v1/defaults.go, pkg/apis/flowcontrol/validation */

const LOWEST_PRECEDENCE = 10_000
const DISTINGUISHERS = ['ByNamespace', 'ByUser']
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

export const flowSchemaStrategy: Strategy<flowcontrol.FlowSchema> = {
  defaults({ spec }) {
    spec.matchingPrecedence ||= 1000
  },
  validate: ({ metadata, spec, status }) => [
    ...validateFlowSchema(spec, metadata.name),
    ...validateConditions(status?.conditions),
  ],
  validateStatusUpdate: ({ status }) => validateConditions(status.conditions),
}

function validateFlowSchema(spec: flowcontrol.FlowSchemaSpec, name: string): FieldError[] {
  const { matchingPrecedence: precedence = 0, distinguisherMethod: method, priorityLevelConfiguration } = spec
  const field = 'spec.matchingPrecedence'
  const level = priorityLevelConfiguration?.name
  const problems: FieldError[] = []
  if (precedence <= 0) problems.push(invalid(field, precedence, 'must be a positive value'))
  if (precedence > LOWEST_PRECEDENCE)
    problems.push(invalid(field, precedence, `must not be greater than ${LOWEST_PRECEDENCE}`))
  if (precedence === 1 && name !== 'exempt')
    problems.push(invalid(field, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
  if (method && !DISTINGUISHERS.includes(method.type))
    problems.push(notSupported('spec.distinguisherMethod.type', { Type: method.type ?? '' }, DISTINGUISHERS))
  const reference = 'spec.priorityLevelConfiguration.name'
  return [
    ...problems,
    ...(level
      ? complaints(reference, level, names.dns1123SubdomainProblems(level))
      : [required(reference, 'must reference a priority level')]),
    ...each(spec.rules, 'spec.rules', validateRules),
  ]
}

function validateRules(rules: flowcontrol.PolicyRulesWithSubjects, path: string): FieldError[] {
  const { subjects, resourceRules, nonResourceRules } = rules
  return [
    ...(subjects?.length
      ? each(subjects, `${path}.subjects`, validateSubject)
      : [required(`${path}.subjects`, 'subjects must contain at least one value')]),
    ...(resourceRules?.length || nonResourceRules?.length
      ? []
      : [required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty')]),
    ...each(resourceRules, `${path}.resourceRules`, validateResourceRule),
    ...each(nonResourceRules, `${path}.nonResourceRules`, validateNonResourceRule),
  ]
}

/** The field in which a subject of each kind is described, and what else a service account's must say. */
const SUBJECTS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function validateSubject(subject: flowcontrol.Subject, path: string): FieldError[] {
  if (!Object.hasOwn(SUBJECTS, subject.kind))
    return [notSupported(`${path}.kind`, subject.kind, ['Group', 'ServiceAccount', 'User'])]
  const kind = subject.kind as keyof typeof SUBJECTS
  const field = SUBJECTS[kind]
  const described = subject[field]
  const problems: FieldError[] = []
  if (!described) problems.push(required(`${path}.${field}`, `${field} is required when subject kind is '${kind}'`))
  else if (!described.name) problems.push(required(`${path}.${field}.name`))
  if (field === 'serviceAccount' && subject.serviceAccount)
    problems.push(...validateServiceAccount(subject.serviceAccount, `${path}.${field}`))
  for (const [other, its] of Object.entries(SUBJECTS))
    if (other !== kind && subject[its])
      problems.push(forbidden(`${path}.${its}`, `${its} is forbidden when subject kind is not '${other}'`))
  return problems
}

const validateServiceAccount = ({ name, namespace }: flowcontrol.ServiceAccountSubject, path: string): FieldError[] => [
  ...(name && name !== '*' ? complaints(`${path}.name`, name, names.dns1123SubdomainProblems(name)) : []),
  ...(namespace
    ? complaints(`${path}.namespace`, namespace, names.dns1123LabelProblems(namespace))
    : [required(`${path}.namespace`, 'must specify namespace for service account')]),
]

/** A list that stands for everything has one item. */
const alone = (items: string[] | undefined, field: string, what: string): FieldError[] =>
  items && items.length > 1 && items.includes('*')
    ? [invalid(field, items, `if '*' is present, must not specify other ${what}`)]
    : []

function validateVerbs(verbs: string[] = [], field: string): FieldError[] {
  if (verbs.length === 0) return [required(field, 'verbs must contain at least one value')]
  if (verbs.includes('*')) return alone(verbs, field, 'verbs')
  return verbs.every(verb => VERBS.includes(verb)) ? [] : [notSupported(field, verbs, VERBS)]
}

function validateResourceRule(rule: flowcontrol.ResourcePolicyRule, path: string): FieldError[] {
  const { verbs, apiGroups, resources, clusterScope } = rule
  const namespaces = rule.namespaces ?? []
  const field = `${path}.namespaces`
  const must = (what: string) => `resource rules must supply at least one ${what}`
  return [
    ...validateVerbs(verbs, `${path}.verbs`),
    ...(apiGroups?.length
      ? alone(apiGroups, `${path}.apiGroups`, 'api groups')
      : [required(`${path}.apiGroups`, must('api group'))]),
    ...(resources?.length
      ? alone(resources, `${path}.resources`, 'resources')
      : [required(`${path}.resources`, must('resource'))]),
    ...(namespaces.length || clusterScope
      ? []
      : [required(field, 'resource rules that are not cluster scoped must supply at least one namespace')]),
    ...(namespaces.includes('*')
      ? alone(namespaces, field, 'namespaces')
      : each(namespaces, field, (namespace, at) =>
          names
            .dns1123LabelProblems(namespace)
            .map(detail =>
              invalid(at, namespace, `each member of this list must be '*' or a DNS-1123 label; ${detail}`),
            ),
        )),
  ]
}

function validateNonResourceRule(rule: flowcontrol.NonResourcePolicyRule, path: string): FieldError[] {
  const { verbs, nonResourceURLs: urls = [] } = rule
  const field = `${path}.nonResourceURLs`
  const problems = validateVerbs(verbs, `${path}.verbs`)
  if (urls.length === 0) return [...problems, required(field, 'nonResourceURLs must contain at least one value')]
  if (urls.includes('*')) return [...problems, ...alone(urls, field, 'non-resource URLs')]
  return [
    ...problems,
    ...each(urls, field, (url, at) => {
      const detail = urlProblem(url)
      return detail ? [invalid(at, url, detail)] : []
    }),
  ]
}

function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const star = url.indexOf('*')
  return star < 0 || (star === url.length - 1 && url.endsWith('/*'))
    ? undefined
    : 'wildcard can only do suffix matching'
}

const validateConditions = (conditions: { type?: string }[] | undefined): FieldError[] => {
  const repeated = unique(conditions, 'status.conditions', ({ type }) => type, 'type')
  return [
    ...repeated,
    ...each(conditions, 'status.conditions', ({ type }, path) => (type ? [] : [required(`${path}.type`)])),
  ]
}

const ZERO_SHARES = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'

export const priorityLevelStrategy: Strategy<flowcontrol.PriorityLevelConfiguration> = {
  defaults({ spec }) {
    if (spec.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0
      spec.exempt.lendablePercent ??= 0
    }
    const { limited } = spec
    if (!limited) return
    limited.nominalConcurrencyShares ??= 30
    limited.lendablePercent ??= 0
    const { queuing } = limited.limitResponse
    if (!queuing) return
    queuing.handSize ||= 8
    queuing.queues ||= 64
    queuing.queueLengthLimit ||= 50
  },
  validate: ({ metadata, spec, status }) => [
    ...(metadata.annotations?.[ZERO_SHARES] === undefined
      ? []
      : [forbidden('metadata.annotations', `annotation '${ZERO_SHARES}' is forbidden`)]),
    ...validateLevel(spec, metadata.name),
    ...validateConditions(status?.conditions),
  ],
  validateStatusUpdate: ({ status }) => validateConditions(status.conditions),
}

function validateLevel(
  { type, limited, exempt }: flowcontrol.PriorityLevelConfigurationSpec,
  name: string,
): FieldError[] {
  const problems =
    (name === 'exempt') === (type === 'Exempt')
      ? []
      : [invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'")]
  if (type === 'Exempt') {
    if (exempt) problems.push(...validateShares(exempt, 'spec.exempt'))
    if (limited) problems.push(forbidden('spec.limited', 'must be nil if the type is not Limited'))
  } else if (type === 'Limited') {
    if (limited) problems.push(...validateLimited(limited, 'spec.limited'))
    if (exempt) problems.push(forbidden('spec.exempt', 'must be nil if the type is Limited'))
    if (!limited) problems.push(required('spec.limited', 'must not be empty when type is Limited'))
  } else problems.push(...oneOf('spec.type', type, ['Exempt', 'Limited']))
  return problems
}

interface Shares {
  nominalConcurrencyShares?: number
  lendablePercent?: number
}

const validateNominal = ({ nominalConcurrencyShares: shares = 0 }: Shares, path: string): FieldError[] =>
  shares < 0 ? [invalid(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')] : []

const validateLendable = ({ lendablePercent: percent = 0 }: Shares, path: string): FieldError[] =>
  percent < 0 || percent > 100
    ? [invalid(`${path}.lendablePercent`, percent, 'must be between 0 and 100, inclusive')]
    : []

const validateShares = (shares: Shares, path: string): FieldError[] => [
  ...validateNominal(shares, path),
  ...validateLendable(shares, path),
]

function validateLimited(limited: flowcontrol.LimitedPriorityLevelConfiguration, path: string): FieldError[] {
  const { limitResponse, borrowingLimitPercent: borrowing = 0 } = limited
  return [
    ...validateNominal(limited, path),
    ...validateResponse(limitResponse ?? {}, `${path}.limitResponse`),
    ...validateLendable(limited, path),
    ...(borrowing < 0
      ? [invalid(`${path}.borrowingLimitPercent`, borrowing, 'if specified, must be a non-negative integer')]
      : []),
  ]
}

function validateResponse({ type, queuing }: Partial<flowcontrol.LimitResponse>, path: string): FieldError[] {
  const field = `${path}.queuing`
  const isLimited = 'limited.limitResponse.type is'
  if (type === 'Reject') return queuing ? [forbidden(field, `must be nil if ${isLimited} not Limited`)] : []
  if (type !== 'Queue') return oneOf(`${path}.type`, type, ['Queue', 'Reject'])
  return queuing ? validateQueues(queuing, field) : [required(field, `must not be empty if ${isLimited} Limited`)]
}

const MOST_QUEUES = 10_000_000
/** Bits of the hash by which a flow's queues are dealt. */
const HASH_BITS = 60

function validateQueues({ queues, handSize, queueLengthLimit }: flowcontrol.QueuingConfiguration, path: string) {
  const problems: FieldError[] = []
  if (queueLengthLimit <= 0) problems.push(invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'))
  if (queues <= 0) problems.push(invalid(`${path}.queues`, queues, 'must be positive'))
  else if (queues > MOST_QUEUES)
    problems.push(invalid(`${path}.queues`, queues, `must not be greater than ${MOST_QUEUES}`))
  const detail = handProblem(queues, handSize)
  return detail ? [...problems, invalid(`${path}.handSize`, handSize, detail)] : problems
}

/** Source: k8s.io/apiserver/pkg/util/shufflesharding RequiredEntropyBits */
function handProblem(queues: number, handSize: number): string | undefined {
  if (handSize <= 0) return 'must be positive'
  if (handSize > queues) return `should not be greater than queues (${queues})`
  let bits = 0
  for (let dealt = 0; dealt < handSize && bits <= HASH_BITS; dealt++) bits += Math.log2(queues - dealt)
  return Math.ceil(bits) > HASH_BITS
    ? `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${HASH_BITS}`
    : undefined
}
