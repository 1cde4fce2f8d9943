import { errors, type KubeObject, type Resource, type resource, resources } from '../../../../api/index.ts'
import type { StrategyContext } from '../../strategy.ts'
import { forbidden } from '../../validation/field.ts'

/** What a client may not have, or not without the namespace's consent. Source: k8s.io/kubernetes/pkg/registry/resource */

const ADMIN_LABEL = 'resource.kubernetes.io/admin-access'

/**
 * Access to devices that are in use is given only in namespaces that are marked for it. `asking`: which of the items of the
 * list at `path` asks for it first, if any does. Rejects with 422.
 */
export async function checkAdminAccess(
  of: Resource<never>,
  { metadata }: KubeObject,
  path: string,
  asking: number,
  { read }: StrategyContext,
): Promise<void> {
  if (asking < 0) return
  const namespace = await read('', resources.namespaces.resource, '', metadata.namespace ?? '')
  if (namespace?.metadata.labels?.[ADMIN_LABEL] === 'true') return
  throw errors.invalid(of, metadata.name, [
    forbidden(
      `${path}[${asking}].adminAccess`,
      `admin access to devices requires the \`${ADMIN_LABEL}: true\` label on the containing namespace`,
    ),
  ])
}

export const requestsAdmin = ({ requests }: resource.DeviceClaim): number =>
  (requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess)

export const receivesAdmin = ({ allocation }: resource.ResourceClaimStatus): number =>
  (allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess)

/** What is behind gates that upstream leaves closed, unless the slice had it already. */
export function dropClosed(slice: resource.ResourceSlice, old?: resource.ResourceSlice): void {
  const had = old?.spec.devices ?? []
  const keepMappings = had.some(device => device.nodeAllocatableResourceMappings)
  const keepLists = had.some(({ attributes }) => Object.values(attributes ?? {}).some(hasList))
  for (const device of slice.spec.devices ?? []) {
    if (!keepMappings) delete device.nodeAllocatableResourceMappings
    if (!keepLists)
      for (const attribute of Object.values(device.attributes ?? {})) for (const list of LISTS) delete attribute[list]
  }
}

const LISTS = ['bools', 'ints', 'strings', 'versions'] as const
const hasList = (attribute: resource.DeviceAttribute) => LISTS.some(list => attribute[list])

type Device = Pick<resource.AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>

/** What tells one allocated device from another. */
export const deviceId = ({ driver, pool, device, shareID }: Device): string =>
  `${driver}/${pool}/${device}${shareID ? `/${shareID}` : ''}`

/** The status of a device goes with its allocation. */
export function dropDeallocated({ status }: resource.ResourceClaim, { status: old }: resource.ResourceClaim): void {
  const allocated = ({ allocation }: resource.ResourceClaimStatus) => (allocation?.devices?.results ?? []).map(deviceId)
  const kept = new Set(allocated(status))
  const gone = new Set(allocated(old).filter(id => !kept.has(id)))
  if (!gone.size || !status.devices) return
  status.devices = status.devices.filter(device => !gone.has(deviceId(device)))
  if (status.devices.length === 0) delete status.devices
}
