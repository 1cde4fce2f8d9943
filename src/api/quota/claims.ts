import { formatQuantity, quantity } from '../quantity.ts'
import { type ResourceList, resourceList } from '../resource-lists.ts'
import type { core, resource } from '../types/index.ts'
import { type QuotaEvaluator, scopeMatches } from './evaluator.ts'

/** What claims use of a quota: for storage, and for devices. */

const COUNT = 'count/persistentvolumeclaims'
const STORAGE = ['persistentvolumeclaims', 'requests.storage']
const OF_CLASS = '.storageclass.storage.k8s.io/'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

/** Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core persistent_volume_claims.go */
export const claimEvaluator: QuotaEvaluator<core.PersistentVolumeClaim> = {
  measures: name =>
    name === COUNT || STORAGE.includes(name) || STORAGE.some(resource => name.endsWith(OF_CLASS + resource)),

  usage({ metadata, spec, status }) {
    const storageClass = metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName
    const storage = wholeBytes(spec.resources.requests?.storage, status.allocatedResources?.storage)
    const usage: ResourceList = { persistentvolumeclaims: '1', ...(storage ? { 'requests.storage': storage } : {}) }
    const ofClass = Object.entries(usage).map(([name, amount]) => [storageClass + OF_CLASS + name, amount])
    return { [COUNT]: '1', ...usage, ...(storageClass ? Object.fromEntries(ofClass) : {}) }
  },

  inScope(claim, scope) {
    if (scope.scopeName !== 'VolumeAttributesClass') return false
    const classes = attributesClasses(claim)
    return classes.length ? classes.some(name => scopeMatches(scope, name)) : scopeMatches(scope, undefined)
  },
}

/** What is asked for or, when that is more, what a resize has come to. */
function wholeBytes(requested: string | undefined, allocated = '0'): string | undefined {
  if (requested === undefined) return undefined
  const larger = quantity.compare(allocated, requested) > 0 ? allocated : requested
  const bytes = quantity.value(larger)
  return quantity.compare(larger, bytes) === 0 ? larger : formatQuantity(quantity.of(bytes))
}

/** The class that is asked for, the present one, and the one that is on its way. */
const attributesClasses = ({ spec, status }: core.PersistentVolumeClaim): string[] =>
  [
    spec.volumeAttributesClassName,
    status.currentVolumeAttributesClassName,
    status.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter(name => !!name) as string[]

const DEVICE_COUNT = 'count/resourceclaims.resource.k8s.io'
const OF_DEVICE_CLASS = '.deviceclass.resource.k8s.io/devices'
/** As many devices as one claim can get: what all of a class may come to. */
const MOST_DEVICES = 32

type Wanted = Pick<resource.ExactDeviceRequest, 'deviceClassName' | 'allocationMode' | 'count'>

/** Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core resource_claims.go */
export const deviceClaimEvaluator: QuotaEvaluator<resource.ResourceClaim> = {
  measures: name => name === DEVICE_COUNT || name.endsWith(OF_DEVICE_CLASS),

  usage({ spec }) {
    const requests = (spec.devices?.requests ?? []).map(({ exactly, firstAvailable = [] }) =>
      // Of alternatives, the most that may come of them.
      firstAvailable.length ? firstAvailable.map(devices).reduce(resourceList.max) : exactly ? devices(exactly) : {},
    )
    return requests.reduce(resourceList.add, { [DEVICE_COUNT]: '1' })
  },
}

function devices({ deviceClassName, allocationMode, count = 0 }: Wanted): ResourceList {
  const number = allocationMode === 'ExactCount' ? count : allocationMode === 'All' ? MOST_DEVICES : 0
  return { [deviceClassName + OF_DEVICE_CLASS]: String(number) }
}
