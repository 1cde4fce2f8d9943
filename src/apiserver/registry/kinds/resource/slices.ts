import { type FieldError, names, type resource } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import {
  at,
  complaints,
  forbidden,
  immutable,
  invalid,
  required,
  same,
  tooLong,
  tooMany,
} from '../../validation/field.ts'
import { goValue } from '../../validation/go-value.ts'
import { validateDriverName } from '../../validation/volumes.ts'
import {
  limited,
  set,
  validateBinding,
  validateLabel,
  validateNodes,
  validatePool,
  validateQualified,
  validateTaint,
} from './devices.ts'
import { dropClosed } from './features.ts'
import { validateRequestPolicy } from './request-policy.ts'

/** Source: k8s.io/kubernetes/pkg/apis/resource/validation ValidateResourceSlice */

const MOST_DEVICES = 128
/** Where any device has taints, takes from counters or has lists of values. */
const MOST_ELABORATE_DEVICES = 64
const MOST_COUNTER_SETS = 8
const MOST_CONSUMPTIONS = 2
const MOST_COUNTERS = 32
const MOST_PROPERTIES = 32
const MOST_VALUES = 48
const MOST_TAINTS = 16
const LONGEST_VALUE = 64
const LONGEST_KEY = 96
const LONGEST_COUNTER = 63
const ONE_OF_FOUR = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
const ONE_OF_THREE =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'

export const resourceSliceStrategy: Strategy<resource.ResourceSlice> = {
  prepareCreate(slice, { now }) {
    dropClosed(slice)
    stampTaints(slice, now)
  },
  prepareUpdate(slice, old, { now }) {
    dropClosed(slice, old)
    stampTaints(slice, now)
  },
  validate: ({ spec }, old) => [
    ...validateDriverName(spec.driver, 'spec.driver'),
    ...validatePoolOf(spec.pool ?? {}),
    ...(old
      ? [
          ...immutable('spec.pool.name', spec.pool?.name, old.spec.pool?.name),
          ...immutable('spec.driver', spec.driver, old.spec.driver),
          ...immutable('spec.nodeName', spec.nodeName, old.spec.nodeName),
        ]
      : []),
    ...validatePlace(spec),
    ...(spec.sharedCounters && spec.devices
      ? [invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed')]
      : []),
    ...set(
      spec.devices,
      spec.devices?.some(isElaborate) ? MOST_ELABORATE_DEVICES : MOST_DEVICES,
      'spec.devices',
      ({ name }) => name,
      (device, path) =>
        validateDevice(
          device,
          path,
          spec,
          old?.spec.devices?.find(({ name }) => name === device.name),
        ),
    ),
    ...set(spec.sharedCounters, MOST_COUNTER_SETS, 'spec.sharedCounters', ({ name }) => name, validateCounterSet),
  ],
  fields: ({ spec }) => ({ 'spec.driver': spec.driver ?? '', 'spec.nodeName': spec.nodeName ?? '' }),
}

function stampTaints({ spec }: resource.ResourceSlice, now: string): void {
  for (const { taints } of spec.devices ?? []) for (const taint of taints ?? []) taint.timeAdded ??= now
}

const isElaborate = ({ taints, consumesCounters, attributes }: resource.Device): boolean =>
  Boolean(taints?.length || consumesCounters?.length) ||
  Object.values(attributes ?? {}).some(({ bools, ints, strings, versions }) => bools ?? ints ?? strings ?? versions)

function validatePoolOf({ name, resourceSliceCount: count = 0, generation = 0 }: Partial<resource.ResourcePool>) {
  return [
    ...validatePool(name, 'spec.pool.name'),
    ...(count <= 0 ? [invalid('spec.pool.resourceSliceCount', count, 'must be greater than zero')] : []),
    ...(generation < 0 ? [invalid('spec.pool.generation', generation, 'must be greater than or equal to zero')] : []),
  ]
}

const validateNodeName = (name: string, field: string) => complaints(field, name, names.dns1123SubdomainProblems(name))

function validatePlace(spec: resource.ResourceSliceSpec): FieldError[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec
  const given: string[] = []
  const problems: FieldError[] = []
  const flag = (value: boolean | undefined, field: string) => {
    if (value) given.push(`\`${field}\``)
    else if (value === false) problems.push(invalid(`spec.${field}`, false, 'must be either unset or set to true'))
  }
  if (nodeName) {
    given.push('`nodeName`')
    problems.push(...validateNodeName(nodeName, 'spec.nodeName'))
  } else if (nodeName === '')
    problems.push(invalid('spec.nodeName', '', 'must be either unset or set to a non-empty string'))
  if (nodeSelector) {
    given.push('`nodeSelector`')
    problems.push(...validateNodes(nodeSelector, 'spec.nodeSelector'))
    const terms = goValue('core/v1.NodeSelectorTerm', nodeSelector.nodeSelectorTerms ?? []) as unknown[]
    if (terms.length !== 1)
      problems.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'))
  }
  flag(allNodes, 'allNodes')
  flag(perDeviceNodeSelection, 'perDeviceNodeSelection')
  if (given.length === 0) problems.push(required('spec', ONE_OF_FOUR))
  if (given.length > 1)
    problems.push(invalid('spec', `{${given.join(', ')}}`, `${ONE_OF_FOUR}, but multiple fields are set`))
  return problems
}

function validateDevice(
  device: resource.Device,
  path: string,
  { perDeviceNodeSelection }: resource.ResourceSliceSpec,
  old: resource.Device | undefined,
): FieldError[] {
  const { attributes = {}, capacity = {}, taints, consumesCounters } = device
  const properties = Object.keys(attributes).length + Object.keys(capacity).length
  const values = Object.values(attributes).reduce((sum, attribute) => sum + countValues(attribute), 0)
  const most = (what: string, number: number) => `the total number of ${what} must not exceed ${number}`
  return [
    ...validateLabel(device.name, `${path}.name`),
    ...(properties > MOST_PROPERTIES
      ? [invalid(path, properties, most('attributes and capacities', MOST_PROPERTIES))]
      : []),
    ...(values > MOST_VALUES ? [invalid(path, values, most('attribute values', MOST_VALUES))] : []),
    ...validateMap(attributes, LONGEST_KEY, `${path}.attributes`, validateQualified, validateAttribute),
    ...validateMap(capacity, LONGEST_KEY, `${path}.capacity`, validateQualified, ({ value, requestPolicy }, field) => {
      if (!requestPolicy) return []
      return device.allowMultipleAllocations
        ? validateRequestPolicy(value, requestPolicy, `${field}.requestPolicy`)
        : [forbidden(`${field}.requestPolicy`, 'allowMultipleAllocations must be true')]
    }),
    ...(old && same(old.taints, taints) ? [] : limited(taints, MOST_TAINTS, `${path}.taints`, validateTaint)),
    ...set(
      consumesCounters,
      MOST_CONSUMPTIONS,
      `${path}.consumesCounters`,
      each => each.counterSet,
      (each, field) => validateCounters(each.counterSet, each.counters, field, 'counterSet'),
    ),
    ...validateDeviceNodes(device, path, perDeviceNodeSelection ?? false),
    ...validateBinding(device, path),
  ]
}

function validateDeviceNodes(device: resource.Device, path: string, perDevice: boolean): FieldError[] {
  const { nodeName, nodeSelector, allNodes } = device
  if (!perDevice)
    return nodeName === undefined && !nodeSelector && allNodes === undefined
      ? []
      : [
          invalid(
            path,
            null,
            '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
          ),
        ]
  const given: string[] = []
  const problems: FieldError[] = []
  if (nodeName) {
    given.push('`nodeName`')
    problems.push(...validateNodeName(nodeName, `${path}.nodeName`))
  } else if (nodeName === '') problems.push(invalid(`${path}.nodeName`, '', 'must not be empty'))
  if (nodeSelector) {
    given.push('`nodeSelector`')
    problems.push(...validateNodes(nodeSelector, `${path}.nodeSelector`))
  }
  if (allNodes) given.push('`allNodes`')
  else if (allNodes === false) problems.push(invalid(`${path}.allNodes`, false, 'must be either unset or set to true'))
  if (given.length === 0) problems.push(required(path, ONE_OF_THREE))
  if (given.length > 1) problems.push(invalid(path, `{${given.join(', ')}}`, ONE_OF_THREE))
  return problems
}

type Attribute = resource.DeviceAttribute

const countValues = ({ bools = [], ints = [], strings = [], versions = [] }: Attribute) =>
  Math.max(1, bools.length + ints.length + strings.length + versions.length)

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

function validateAttribute(attribute: Attribute, path: string): FieldError[] {
  const { string, version } = attribute
  const given = (['bool', 'int', 'string', 'version'] as const).filter(field => attribute[field] !== undefined)
  const exactly = 'exactly one value must be specified'
  const long = (value: string | undefined, field: string) =>
    Buffer.byteLength(value ?? '') > LONGEST_VALUE ? [tooLong(`${path}.${field}`, '', LONGEST_VALUE)] : []
  return [
    ...long(string, 'string'),
    ...(version !== undefined && !SEMVER.test(version)
      ? [invalid(`${path}.version`, version, 'must be a string compatible with semver.org spec 2.0.0')]
      : []),
    ...long(version, 'version'),
    ...(given.length === 0 ? [invalid(path, '', exactly)] : []),
    ...(given.length > 1 ? [invalid(path, shown(attribute), exactly)] : []),
  ]
}

/** As upstream names the fields. */
const shown = ({ int, bool, string, version }: Attribute) => ({
  IntValue: int ?? null,
  BoolValue: bool ?? null,
  StringValue: string ?? null,
  VersionValue: version ?? null,
  IntValues: null,
  BoolValues: null,
  StringValues: null,
  VersionValues: null,
})

const validateCounterSet = ({ name, counters }: resource.CounterSet, path: string): FieldError[] =>
  validateCounters(name, counters, path, 'name')

function validateCounters(
  name: string | undefined,
  counters: Record<string, unknown> | undefined,
  path: string,
  field: string,
): FieldError[] {
  const count = Object.keys(counters ?? {}).length
  if (count > MOST_COUNTERS) return [tooMany(`${path}.counters`, count, MOST_COUNTERS)]
  return [
    ...(count
      ? validateMap(counters!, LONGEST_COUNTER, `${path}.counters`, validateLabel, () => [])
      : [required(`${path}.counters`)]),
    ...(name ? validateLabel(name, `${path}.${field}`) : [required(`${path}.${field}`)]),
  ]
}

function validateMap<T>(
  map: Record<string, T>,
  longestKey: number,
  path: string,
  validateKey: (key: string, field: string) => FieldError[],
  validateItem: (item: T, field: string) => FieldError[],
): FieldError[] {
  return Object.entries(map).flatMap(([key, item]) => [
    ...validateKey(key, path),
    ...validateItem(item, at(path, shortened(key, longestKey))),
  ])
}

/** Its beginning and its end. */
function shortened(key: string, longest: number): string {
  if (key.length <= longest) return key
  const rest = longest - 3
  return `${key.slice(0, Math.floor((rest + 1) / 2))}...${key.slice(key.length - Math.floor(rest / 2))}`
}
