import type { FieldError, resource } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { each, immutable, oneOf, required } from '../validation/field.ts'

/** Devices. Source: k8s.io/kubernetes/pkg/apis/resource/v1/defaults.go, pkg/apis/resource/validation */

function defaultDevices({ requests }: resource.DeviceClaim): void {
  for (const { exactly, firstAvailable } of requests ?? []) {
    for (const request of [exactly, ...(firstAvailable ?? [])]) {
      if (!request) continue
      request.allocationMode ||= 'ExactCount'
      if (request.allocationMode === 'ExactCount') request.count ||= 1
    }
  }
}

const validateDevices = ({ requests }: resource.DeviceClaim, path: string): FieldError[] =>
  each(requests, `${path}.requests`, ({ name, exactly, firstAvailable }, at) => [
    ...(name ? [] : [required(`${at}.name`)]),
    ...(exactly || firstAvailable?.length
      ? []
      : [required(at, 'exactly one of `exactly` or `firstAvailable` is required')]),
    ...(exactly && !exactly.deviceClassName ? [required(`${at}.exactly.deviceClassName`)] : []),
    ...(exactly ? oneOf(`${at}.exactly.allocationMode`, exactly.allocationMode, ['All', 'ExactCount']) : []),
  ])

export const resourceClaimStrategy: Strategy<resource.ResourceClaim> = {
  defaults: ({ spec }) => defaultDevices(spec.devices),
  validate: ({ spec }) => validateDevices(spec.devices, 'spec.devices'),
  validateUpdate: ({ spec }, { spec: old }) => immutable('spec', spec, old),
  generation: false,
}

export const resourceClaimTemplateStrategy: Strategy<resource.ResourceClaimTemplate> = {
  defaults: ({ spec }) => defaultDevices(spec.spec.devices),
  validate: ({ spec }) => validateDevices(spec.spec.devices, 'spec.spec.devices'),
  validateUpdate: ({ spec }, { spec: old }) => immutable('spec', spec, old),
  generation: false,
}

export const resourceSliceStrategy: Strategy<resource.ResourceSlice> = {
  validate: ({ spec }) => [
    ...(spec.driver ? [] : [required('spec.driver')]),
    ...(spec.pool?.name ? [] : [required('spec.pool.name')]),
  ],
  validateUpdate: ({ spec }, { spec: old }) => [
    ...immutable('spec.driver', spec.driver, old.driver),
    ...immutable('spec.nodeName', spec.nodeName, old.nodeName),
  ],
  fields: ({ spec }) => ({ 'spec.nodeName': spec.nodeName ?? '', 'spec.driver': spec.driver ?? '' }),
}
