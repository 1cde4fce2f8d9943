import { type FieldError, names, type storage } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { complaints, each, forbidden, immutable, invalid, notSupported, required, same } from '../validation/field.ts'

/** Source: k8s.io/kubernetes/pkg/apis/storage/v1/defaults.go, pkg/apis/storage/validation */

const MODES = ['Immediate', 'WaitForFirstConsumer']

export const storageClassStrategy: Strategy<storage.StorageClass> = {
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete'
    storageClass.volumeBindingMode ??= 'Immediate'
  },
  validate: ({ provisioner, reclaimPolicy, volumeBindingMode }) => [
    ...(provisioner
      ? complaints('provisioner', provisioner, names.qualifiedNameProblems(provisioner.toLowerCase()))
      : [required('provisioner')]),
    ...(reclaimPolicy === 'Delete' || reclaimPolicy === 'Retain'
      ? []
      : [notSupported('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain'])]),
    ...(volumeBindingMode && !MODES.includes(volumeBindingMode)
      ? [notSupported('volumeBindingMode', volumeBindingMode, MODES)]
      : []),
  ],
  validateUpdate(storageClass, old) {
    const frozen = (['parameters', 'provisioner', 'reclaimPolicy'] as const).filter(
      field => !same(storageClass[field] ?? {}, old[field] ?? {}),
    )
    return [
      ...frozen.map(field => forbidden(field, `updates to ${field} are forbidden.`)),
      ...immutable('volumeBindingMode', storageClass.volumeBindingMode, old.volumeBindingMode),
    ]
  },
}

export const csiDriverStrategy: Strategy<storage.CSIDriver> = {
  allowUnconditionalUpdate: false,
  defaults({ spec }) {
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
  },
  validate: ({ spec }) => [
    ...each(spec.volumeLifecycleModes, 'spec.volumeLifecycleModes', (mode, path) =>
      mode === 'Persistent' || mode === 'Ephemeral' ? [] : [notSupported(path, mode, ['Ephemeral', 'Persistent'])],
    ),
  ],
  validateUpdate: ({ spec }, { spec: old }) => [
    ...immutable('spec.attachRequired', spec.attachRequired, old.attachRequired),
    ...immutable('spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.volumeLifecycleModes),
  ],
}

export const csiNodeStrategy: Strategy<storage.CSINode> = {
  allowUnconditionalUpdate: false,
  generation: false,
  validate: ({ spec }) =>
    each(spec.drivers, 'spec.drivers', ({ name, nodeID }, path) => [
      ...(name
        ? complaints(`${path}.name`, name, names.dns1123SubdomainProblems(name.toLowerCase()))
        : [required(`${path}.name`)]),
      ...(nodeID ? [] : [required(`${path}.nodeID`)]),
    ]),
}

export const volumeAttachmentStrategy: Strategy<storage.VolumeAttachment> = {
  allowUnconditionalUpdate: false,
  generation: false,
  validate({ spec }) {
    const problems: FieldError[] = spec.attacher ? [] : [required('spec.attacher')]
    if (!spec.source?.persistentVolumeName && !spec.source?.inlineVolumeSpec) {
      problems.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'))
    }
    return spec.nodeName ? problems : [...problems, required('spec.nodeName')]
  },
  validateUpdate: ({ spec }, { spec: old }) => (same(spec, old) ? [] : [invalid('spec', spec, 'field is immutable')]),
}

export const volumeAttributesClassStrategy: Strategy<storage.VolumeAttributesClass> = {
  validate: ({ driverName }) => (driverName ? [] : [required('driverName')]),
  validateUpdate(attributes, old) {
    return (['driverName', 'parameters'] as const)
      .filter(field => !same(attributes[field], old[field]))
      .map(field => forbidden(field, `updates to ${field} are forbidden.`))
  },
}

export const csiStorageCapacityStrategy: Strategy<storage.CSIStorageCapacity> = {
  validate: ({ storageClassName }) => (storageClassName ? [] : [required('storageClassName')]),
  validateUpdate: (capacity, old) => [
    ...immutable('storageClassName', capacity.storageClassName, old.storageClassName),
    ...immutable('nodeTopology', capacity.nodeTopology, old.nodeTopology),
  ],
}
