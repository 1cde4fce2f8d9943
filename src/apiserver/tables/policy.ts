import {
  type admissionregistration,
  findCondition,
  type flowcontrol,
  type meta,
  type node,
  type rbac,
  type resource,
} from '../../api/index.ts'
import { ageColumn, integer, NONE, nameColumn, text, UNSET, wide } from './columns.ts'
import type { Column } from './table.ts'

type Binding = rbac.RoleBinding | rbac.ClusterRoleBinding

export const roleBindingColumns: Column<Binding>[] = [
  nameColumn,
  text('Role', 'Role that is granted.', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wide(text('Users', 'Users that it is granted to.', binding => subjects(binding, 'User'))),
  wide(text('Groups', 'Groups that it is granted to.', binding => subjects(binding, 'Group'))),
  wide(
    text('ServiceAccounts', 'Service accounts that it is granted to.', binding => subjects(binding, 'ServiceAccount')),
  ),
]

const subjects = ({ subjects: all = [] }: Binding, wanted: string) =>
  all
    .filter(({ kind }) => kind === wanted)
    .map(({ namespace, name }) => (wanted === 'ServiceAccount' ? `${namespace}/${name}` : name))
    .join(', ')

export const runtimeClassColumns: Column<node.RuntimeClass>[] = [
  nameColumn,
  text('Handler', 'Configuration of the container runtime.', ({ handler }) => handler),
  ageColumn,
]

type Webhooks =
  | admissionregistration.MutatingWebhookConfiguration
  | admissionregistration.ValidatingWebhookConfiguration

export const webhookColumns: Column<Webhooks>[] = [
  nameColumn,
  integer('Webhooks', 'How many webhooks it has.', ({ webhooks }) => webhooks?.length ?? 0),
  ageColumn,
]

type Policy = admissionregistration.ValidatingAdmissionPolicy | admissionregistration.MutatingAdmissionPolicy

const paramKind = ({ spec: { paramKind: kind } }: Policy) => (kind ? `${kind.apiVersion}/${kind.kind}` : UNSET)

export const validatingPolicyColumns: Column<admissionregistration.ValidatingAdmissionPolicy>[] = [
  nameColumn,
  integer('Validations', 'How many rules it has.', ({ spec }) => spec.validations?.length ?? 0),
  text('ParamKind', 'Kind of its parameters.', paramKind),
  ageColumn,
]

export const mutatingPolicyColumns: Column<admissionregistration.MutatingAdmissionPolicy>[] = [
  nameColumn,
  integer('Mutations', 'How many changes it makes.', ({ spec }) => spec.mutations?.length ?? 0),
  text('ParamKind', 'Kind of its parameters.', paramKind),
  ageColumn,
]

type PolicyBinding =
  | admissionregistration.ValidatingAdmissionPolicyBinding
  | admissionregistration.MutatingAdmissionPolicyBinding

export const policyBindingColumns: Column<PolicyBinding>[] = [
  nameColumn,
  text('PolicyName', 'Policy that is put to work.', ({ spec }) => spec.policyName ?? ''),
  text('ParamRef', 'Parameters that it gets.', ({ spec: { paramRef } }) => {
    if (!paramRef) return UNSET
    if (!paramRef.name) return paramRef.selector ? goText(paramRef.selector) : UNSET
    return paramRef.namespace ? `${paramRef.namespace}/${paramRef.name}` : `*/${paramRef.name}`
  }),
  ageColumn,
]

/** As Go prints the struct, which is what upstream shows. */
function goText({ matchLabels = {}, matchExpressions = [] }: meta.LabelSelector): string {
  const labels = Object.keys(matchLabels).sort()
  const map = labels.map(key => `${key}: ${matchLabels[key]},`).join('')
  const list = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${map}},MatchExpressions:[]LabelSelectorRequirement{${list.join('')}},}`
}

export const flowSchemaColumns: Column<flowcontrol.FlowSchema>[] = [
  nameColumn,
  text('PriorityLevel', 'Level that its requests run on.', ({ spec }) => spec.priorityLevelConfiguration?.name || NONE),
  text('MatchingPrecedence', 'Which schema is asked first; less goes first.', ({ spec }) => spec.matchingPrecedence),
  text('DistinguisherMethod', 'What tells its flows apart.', ({ spec }) => spec.distinguisherMethod?.type ?? NONE),
  ageColumn,
  text(
    'MissingPL',
    'Whether its level does not exist.',
    ({ status }) => findCondition(status.conditions, 'Dangling')?.status ?? '?',
  ),
]

const queuing =
  (cell: (queuing: flowcontrol.QueuingConfiguration) => number) => (level: flowcontrol.PriorityLevelConfiguration) => {
    const configuration = level.spec.limited?.limitResponse?.queuing
    return configuration ? cell(configuration) : NONE
  }

export const priorityLevelColumns: Column<flowcontrol.PriorityLevelConfiguration>[] = [
  nameColumn,
  text('Type', 'Whether its requests are limited.', ({ spec }) => spec.type),
  text(
    'NominalConcurrencyShares',
    'Its part of the seats.',
    ({ spec }) => (spec.limited ?? spec.exempt)?.nominalConcurrencyShares ?? NONE,
  ),
  text(
    'Queues',
    'How many queues it has.',
    queuing(({ queues }) => queues),
  ),
  text(
    'HandSize',
    'Among how many queues a flow is dealt.',
    queuing(({ handSize }) => handSize),
  ),
  text(
    'QueueLengthLimit',
    'How many requests wait in a queue.',
    queuing(({ queueLengthLimit }) => queueLengthLimit),
  ),
  ageColumn,
]

export const resourceClaimColumns: Column<resource.ResourceClaim>[] = [
  nameColumn,
  text('State', 'Whether it is allocated and in use.', ({ metadata, status }) =>
    [
      metadata.deletionTimestamp && 'deleted',
      status.allocation ? 'allocated' : 'pending',
      status.reservedFor?.length && 'reserved',
    ]
      .filter(state => state && !(state === 'pending' && metadata.deletionTimestamp))
      .join(','),
  ),
  ageColumn,
]

export const resourceSliceColumns: Column<resource.ResourceSlice>[] = [
  nameColumn,
  text('Node', 'Node that the devices are on.', ({ spec }) => spec.nodeName ?? ''),
  text('Driver', 'Driver of the devices.', ({ spec }) => spec.driver),
  text('Pool', 'Pool that the devices belong to.', ({ spec }) => spec.pool?.name ?? ''),
  ageColumn,
]

export const plainColumns: Column[] = [nameColumn, ageColumn]
