import { type FieldError, names, type resource, resources } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { complaints, each, forbidden, IMMUTABLE, invalid, oneOf, required, same } from '../../validation/field.ts'
import { goValue } from '../../validation/go-value.ts'
import { validateAnnotations, validateLabels } from '../../validation/selectors.ts'
import { validateClaimStatus } from './claim-status.ts'
import {
  limited,
  set,
  validateConfiguration,
  validateFullyQualified,
  validateLabel,
  validateSelectors,
  validateToleration,
} from './devices.ts'
import { checkAdminAccess, dropDeallocated, receivesAdmin, requestsAdmin } from './features.ts'

/** Source: k8s.io/kubernetes/pkg/apis/resource/v1/defaults.go, pkg/apis/resource/validation */

const CLAIMS = resources.resourceClaims as never
const TEMPLATES = resources.resourceClaimTemplates as never
/** Upstream names them so in a template too. */
const REQUESTS = 'spec.devices.requests'
const MOST_REQUESTS = 32
const MOST_ALTERNATIVES = 8
export const MOST_CONFIGURATIONS = 32
const EXACTLY = 'exactly one of `exactly` or `firstAvailable` is required'
const UNKNOWN_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

type Claim = resource.DeviceClaim
/** What `exactly` and each of `firstAvailable` say. */
type Wish = resource.ExactDeviceRequest

function defaultDevices({ requests }: Claim): void {
  for (const { exactly, firstAvailable } of requests ?? []) {
    for (const request of [exactly, ...(firstAvailable ?? [])]) {
      if (!request) continue
      request.allocationMode ||= 'ExactCount'
      if (request.allocationMode === 'ExactCount') request.count ||= 1
      for (const toleration of request.tolerations ?? []) toleration.operator ||= 'Equal'
    }
  }
}

const fixed = (type: string, spec: object, old: object): FieldError[] =>
  same(spec, old) ? [] : [invalid('spec', goValue(`resource/v1.${type}`, spec), IMMUTABLE)]

export const resourceClaimStrategy: Strategy<resource.ResourceClaim> = {
  defaults: ({ spec }) => defaultDevices(spec.devices),
  prepareCreate: (claim, context) =>
    checkAdminAccess(CLAIMS, claim, REQUESTS, requestsAdmin(claim.spec.devices), context),
  async prepareUpdate(claim, old, context) {
    if (context.subresource !== 'status') return
    if (receivesAdmin(old.status) < 0)
      await checkAdminAccess(CLAIMS, claim, 'status.allocation.devices.results', receivesAdmin(claim.status), context)
    dropDeallocated(claim, old)
  },
  validate: ({ spec }, old) =>
    old ? fixed('ResourceClaimSpec', spec, old.spec) : validateDevices(spec.devices, 'spec.devices'),
  validateStatusUpdate: validateClaimStatus,
  generation: false,
}

export const resourceClaimTemplateStrategy: Strategy<resource.ResourceClaimTemplate> = {
  defaults: ({ spec }) => defaultDevices(spec.spec.devices),
  prepareCreate: (template, context) =>
    checkAdminAccess(TEMPLATES, template, REQUESTS, requestsAdmin(template.spec.spec.devices), context),
  validate: ({ spec }, old) => [
    ...validateTemplateMeta(spec.metadata, 'spec.metadata'),
    ...validateDevices(spec.spec.devices, 'spec.spec.devices'),
    ...(old ? fixed('ResourceClaimTemplateSpec', spec, old.spec) : []),
  ],
  generation: false,
}

export const deviceClassStrategy: Strategy<resource.DeviceClass> = {
  validate: ({ spec: { selectors, config, extendedResourceName: name } }, old) => [
    ...validateSelectors(selectors, 'spec.selectors'),
    ...limited(config, MOST_CONFIGURATIONS, 'spec.config', (each, path) =>
      validateConfiguration(each, path, same(config, old?.spec.config)),
    ),
    ...(name !== undefined && !isExtended(name)
      ? [invalid('spec.extendedResourceName', name, 'must be a valid extended resource name')]
      : []),
  ],
}

/** Source: k8s.io/kubernetes/pkg/apis/core/v1/helper IsExtendedResourceName */
const isExtended = (name: string) =>
  name.includes('/') &&
  !name.includes('kubernetes.io/') &&
  !name.startsWith('requests.') &&
  names.qualifiedNameProblems(`requests.${name}`).length === 0

/** What of an object's metadata only the server sets, in a template of one. */
const UNSETTABLE = [
  ['name'],
  ['generateName'],
  ['namespace'],
  ['selfLink'],
  ['uid', 'uID'],
  ['resourceVersion'],
  ['generation'],
  ['creationTimestamp'],
  ['deletionTimestamp'],
  ['deletionGracePeriodSeconds'],
  ['ownerReferences'],
  ['finalizers'],
  ['managedFields'],
] as const

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateTemplateObjectMeta */
function validateTemplateMeta(metadata: resource.ResourceClaimTemplateSpec['metadata'], path: string): FieldError[] {
  const given: Partial<Record<string, unknown>> = { ...metadata }
  const isSet = (value: unknown) => (Array.isArray(value) ? value.length > 0 : Boolean(value))
  return [
    ...validateAnnotations(metadata?.annotations, `${path}.annotations`),
    ...validateLabels(metadata?.labels, `${path}.labels`),
    ...UNSETTABLE.filter(([name]) => isSet(given[name])).map(([name, shown = name]) =>
      forbidden(`${path}.${shown}`, 'cannot be set'),
    ),
  ]
}

function validateDevices(claim: Claim, path: string): FieldError[] {
  const known = requestNames(claim)
  const refers = (requests: string[] | undefined, field: string) =>
    set(
      requests,
      MOST_REQUESTS,
      field,
      name => name,
      (name, at) => validateReference(name, at, known),
    )
  return [
    ...set(claim.requests, MOST_REQUESTS, `${path}.requests`, ({ name }) => name, validateRequest),
    ...limited(claim.constraints, MOST_REQUESTS, `${path}.constraints`, (constraint, field) => [
      ...refers(constraint.requests, `${field}.requests`),
      ...validateConstraint(constraint, field),
    ]),
    ...limited(claim.config, MOST_CONFIGURATIONS, `${path}.config`, (config, field) => [
      ...refers(config.requests, `${field}.requests`),
      ...validateConfiguration(config, field, false),
    ]),
  ]
}

/** The names by which a claim's requests can be referred to: `request` and `request/alternative`. */
export const requestNames = ({ requests }: Claim): Set<string> =>
  new Set(
    (requests ?? []).flatMap(({ name, firstAvailable }) => [
      name,
      ...(firstAvailable ?? []).map(alternative => `${name}/${alternative.name}`),
    ]),
  )

export function validateReference(name: string, field: string, known: Set<string>): FieldError[] {
  const segments = name.split('/')
  if (segments.length > 2) return [invalid(field, name, UNKNOWN_REQUEST)]
  return [
    ...segments.flatMap(segment => validateLabel(segment, field)),
    ...(known.has(name) ? [] : [invalid(field, name, UNKNOWN_REQUEST)]),
  ]
}

function validateRequest({ name, exactly, firstAvailable }: resource.DeviceRequest, path: string): FieldError[] {
  const problems = validateLabel(name, `${path}.name`)
  const several = firstAvailable?.length
  if (exactly && several) return [...problems, invalid(path, null, `${EXACTLY}, but multiple fields are set`)]
  if (exactly) return [...problems, ...validateWish(exactly, `${path}.exactly`)]
  if (!several) return [...problems, required(path, EXACTLY)]
  return [
    ...problems,
    ...set(
      firstAvailable,
      MOST_ALTERNATIVES,
      `${path}.firstAvailable`,
      each => each.name,
      (alternative, field) => [
        ...validateLabel(alternative.name, `${field}.name`),
        ...validateWish(alternative, field),
      ],
    ),
  ]
}

function validateWish(wish: Wish, path: string): FieldError[] {
  const { deviceClassName, allocationMode: mode, count = 0 } = wish
  const field = `${path}.count`
  const counts: FieldError[] = []
  if (mode === 'All' && count !== 0)
    counts.push(invalid(field, count, "must not be specified when allocationMode is 'All'"))
  if (mode === 'ExactCount' && count <= 0) counts.push(invalid(field, count, 'must be greater than zero'))
  return [
    ...(deviceClassName
      ? complaints(`${path}.deviceClassName`, deviceClassName, names.dns1123SubdomainProblems(deviceClassName))
      : [required(`${path}.deviceClassName`)]),
    ...validateSelectors(wish.selectors, `${path}.selectors`),
    ...counts,
    ...each(wish.tolerations, `${path}.tolerations`, validateToleration),
    ...oneOf(`${path}.allocationMode`, mode, ['All', 'ExactCount']),
  ]
}

function validateConstraint(constraint: resource.DeviceConstraint, path: string): FieldError[] {
  const { matchAttribute: match, distinctAttribute: distinct } = constraint
  if (match !== undefined) return validateFullyQualified(match, `${path}.matchAttribute`)
  if (distinct !== undefined) return validateFullyQualified(distinct, `${path}.distinctAttribute`)
  return [
    required(path, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'),
  ]
}
