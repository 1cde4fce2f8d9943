import type { FieldError, resource } from '../../../../api/index.ts'
import { validateMetaConditions } from '../../validation/conditions.ts'
import {
  duplicate,
  each,
  forbidden,
  IMMUTABLE,
  invalid,
  oneOf,
  required,
  same,
  tooLong,
  tooMany,
} from '../../validation/field.ts'
import { goValue } from '../../validation/go-value.ts'
import { validateCidr } from '../../validation/ip.ts'
import { validateDriverName } from '../../validation/volumes.ts'
import { MOST_CONFIGURATIONS, requestNames, validateReference } from './claims.ts'
import {
  limited,
  set,
  validateBinding,
  validateConfiguration,
  validateLabel,
  validateNodes,
  validateParameters,
  validatePool,
  validateShareId,
} from './devices.ts'
import { deviceId } from './features.ts'

/** Source: k8s.io/kubernetes/pkg/apis/resource/validation validateResourceClaimStatusUpdate */

const MOST_CONSUMERS = 256
const MOST_RESULTS = 32
const MOST_CONDITIONS = 8
const LONGEST_INTERFACE = 256
const LONGEST_HARDWARE = 128
const MOST_IPS = 16

type Device = Pick<resource.AllocatedDeviceStatus, 'driver' | 'pool' | 'device'>

export function validateClaimStatus(claim: resource.ResourceClaim, old: resource.ResourceClaim): FieldError[] {
  const { allocation, reservedFor, devices } = claim.status
  const before = old.status.allocation
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceId))
  const problems = [
    ...set(reservedFor, MOST_CONSUMERS, 'status.reservedFor', ({ uid }) => uid, validateConsumer),
    ...each(devices, 'status.devices', (device, path) => validateDevice(device, path, allocated)),
    ...each(devices, 'status.devices', (device, path, index) =>
      devices!.findIndex(other => deviceId(other) === deviceId(device)) < index ? [duplicate(path, shown(device))] : [],
    ),
    ...validateReservations(claim, old),
  ]
  if (!allocation) return problems
  return [
    ...problems,
    ...(before
      ? same(allocation, before)
        ? []
        : [invalid('status.allocation', goValue('resource/v1.AllocationResult', allocation), IMMUTABLE)]
      : validateAllocation(allocation, 'status.allocation', requestNames(claim.spec.devices))),
  ]
}

function validateReservations({ metadata, status }: resource.ResourceClaim, old: resource.ResourceClaim): FieldError[] {
  const field = 'status.reservedFor'
  const { allocation, reservedFor } = status
  if (!reservedFor?.length) return []
  if (!allocation) return [forbidden(field, 'may not be specified when `allocated` is not set')]
  const before = new Set((old.status.reservedFor ?? []).map(each => JSON.stringify(each)))
  const added = reservedFor.some(each => !before.has(JSON.stringify(each)))
  return metadata.deletionTimestamp !== undefined && added
    ? [forbidden(field, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set')]
    : []
}

const validateConsumer = (
  { resource: kind, name, uid }: resource.ResourceClaimConsumerReference,
  path: string,
): FieldError[] => [
  ...(kind ? [] : [required(`${path}.resource`)]),
  ...(name ? [] : [required(`${path}.name`)]),
  ...(uid ? [] : [required(`${path}.uid`)]),
]

const named = ({ driver, pool, device }: Device, path: string): FieldError[] => [
  ...validateDriverName(driver, `${path}.driver`),
  ...validatePool(pool, `${path}.pool`),
  ...validateLabel(device, `${path}.device`),
]

function validateAllocation(allocation: resource.AllocationResult, path: string, known: Set<string>): FieldError[] {
  const { devices, nodeSelector } = allocation
  return [
    ...limited(devices?.results, MOST_RESULTS, `${path}.devices.results`, (result, field) => [
      ...validateReference(result.request ?? '', `${field}.request`, known),
      ...named(result, field),
      ...validateBinding(result, field),
      ...(result.shareID === undefined ? [] : validateShareId(result.shareID, `${field}.shareID`)),
    ]),
    ...limited(devices?.config, 2 * MOST_CONFIGURATIONS, `${path}.devices.config`, (config, field) => [
      ...oneOf(`${field}.source`, config.source, ['FromClaim', 'FromClass']),
      ...set(
        config.requests,
        MOST_RESULTS,
        `${field}.requests`,
        name => name,
        (name, at) => validateReference(name, at, known),
      ),
      ...validateConfiguration(config, field, false),
    ]),
    ...(nodeSelector ? validateNodes(nodeSelector, `${path}.nodeSelector`) : []),
  ]
}

/** How upstream shows which device is meant. */
const shown = ({ driver = '', pool = '', device = '', shareID = '' }: Partial<resource.AllocatedDeviceStatus>) => ({
  Driver: driver,
  Pool: pool,
  Device: device,
  ShareID: shareID,
})

function validateDevice(device: resource.AllocatedDeviceStatus, path: string, allocated: Set<string>): FieldError[] {
  const { shareID, data, networkData } = device
  const conditions = device.conditions ?? []
  return [
    ...named(device, path),
    ...(shareID === undefined ? [] : validateShareId(shareID, `${path}.shareID`)),
    ...(allocated.has(deviceId(device))
      ? []
      : [invalid(path, shown(device), 'must be an allocated device in the claim')]),
    ...(conditions.length > MOST_CONDITIONS ? [tooMany(`${path}.conditions`, conditions.length, MOST_CONDITIONS)] : []),
    ...validateMetaConditions(conditions, `${path}.conditions`),
    ...(data === undefined || data === null ? [] : validateParameters(data, `${path}.data`, false)),
    ...(networkData ? validateNetwork(networkData, `${path}.networkData`) : []),
  ]
}

function validateNetwork({ interfaceName = '', hardwareAddress = '', ips }: resource.NetworkDeviceData, path: string) {
  const short = (text: string, field: string, longest: number) =>
    Buffer.byteLength(text) > longest ? [tooLong(`${path}.${field}`, '', longest)] : []
  return [
    ...short(interfaceName, 'interfaceName', LONGEST_INTERFACE),
    ...short(hardwareAddress, 'hardwareAddress', LONGEST_HARDWARE),
    ...set(ips, MOST_IPS, `${path}.ips`, address => address, validateInterface),
  ]
}

/** An address with the length of its network. Source: k8s.io/apimachinery/pkg/util/validation IsValidInterfaceAddress */
function validateInterface(address: string, field: string): FieldError[] {
  const problems = validateCidr(address, field).filter(({ detail }) => !detail.includes('bits set beyond'))
  return problems.map(problem =>
    problem.detail.startsWith('must be a valid CIDR')
      ? invalid(field, address, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)')
      : problem,
  )
}
