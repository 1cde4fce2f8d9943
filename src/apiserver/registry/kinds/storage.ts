import { type core, type FieldError, names, quantity, type storage } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { validateAccessModes } from '../validation/claims.ts'
import {
  complaints,
  duplicate,
  each,
  forbidden,
  IMMUTABLE,
  immutable,
  invalid,
  nonNegative,
  notSupported,
  required,
  same,
  tooLong,
} from '../validation/field.ts'
import { goValue } from '../validation/go-value.ts'
import { nodeSelectorWarnings, oldLabel } from '../validation/node-labels.ts'
import { validateSource } from '../validation/persistent-volume.ts'
import { validateLabelSelector } from '../validation/selectors.ts'
import { validateDriverName } from '../validation/volumes.ts'

/** Source: k8s.io/kubernetes/pkg/apis/storage/v1/defaults.go, pkg/apis/storage/validation */

const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer']
const RECLAIM_POLICIES = ['Delete', 'Retain']
const MOST_PARAMETERS = 512
/** Bytes of keys and values together. */
const LARGEST_MAP = 256 * 1024

const sizeOf = (map: Record<string, string>): number =>
  Object.entries(map).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)

const validateProvisioner = (name: string | undefined, field: string): FieldError[] =>
  name ? complaints(field, name.toLowerCase(), names.qualifiedNameProblems(name.toLowerCase())) : [required(field)]

function validateParameters(parameters: Record<string, string> = {}): FieldError[] {
  const field = 'parameters'
  if (Object.keys(parameters).length > MOST_PARAMETERS) return [tooLong(field, '', MOST_PARAMETERS)]
  return [
    ...('' in parameters ? [invalid(field, '', 'field can not be empty.')] : []),
    ...(sizeOf(parameters) > LARGEST_MAP ? [tooLong(field, '', LARGEST_MAP)] : []),
  ]
}

export const storageClassStrategy: Strategy<storage.StorageClass> = {
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete'
    storageClass.volumeBindingMode ??= 'Immediate'
  },
  validate(storageClass, old) {
    const { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies } = storageClass
    const fixed = (['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const).flatMap(field =>
      old ? immutable(field, storageClass[field], old[field]) : [],
    )
    return [
      ...validateProvisioner(provisioner, 'provisioner'),
      ...validateParameters(parameters),
      ...(reclaimPolicy && !RECLAIM_POLICIES.includes(reclaimPolicy)
        ? [notSupported('reclaimPolicy', reclaimPolicy, RECLAIM_POLICIES)]
        : []),
      ...(BINDING_MODES.includes(volumeBindingMode!)
        ? []
        : [notSupported('volumeBindingMode', volumeBindingMode, BINDING_MODES)]),
      ...validateTopologies(allowedTopologies ?? []),
      ...fixed,
    ]
  },
  warnings: ({ allowedTopologies }) =>
    (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, term) =>
      (matchLabelExpressions ?? []).flatMap(({ key }, index) => {
        const text = oldLabel(key)
        return text ? [`allowedTopologies[${term}].matchLabelExpressions[${index}].key: ${text}`] : []
      }),
    ),
  generation: false,
}

function validateTopologies(terms: core.TopologySelectorTerm[]): FieldError[] {
  // Upstream compares with as many empty terms as there are terms, so that an empty one is always one too many.
  const seen = terms.map(() => '[]')
  return each(terms, 'allowedTopologies', ({ matchLabelExpressions }, path) => {
    const field = `${path}.matchLabelExpressions`
    const keys = new Map<string, string[]>()
    const problems = each(matchLabelExpressions, field, ({ key, values }, at) => {
      const found = validateTopologyRequirement(key, values, at)
      if (keys.has(key)) found.push(duplicate(`${at}.key`, key))
      keys.set(key, [...new Set(values)].sort())
      return found
    })
    const shape = JSON.stringify([...keys].sort())
    const repeated = seen.filter(other => other === shape).map(() => duplicate(field, ''))
    seen.push(shape)
    return [...problems, ...repeated]
  })
}

const validateTopologyRequirement = (key: string, values: string[] = [], path: string): FieldError[] => [
  ...(values.length ? [] : [required(`${path}.values`)]),
  ...each(values, `${path}.values`, (value, field, index) =>
    values.indexOf(value) < index ? [duplicate(field, value)] : [],
  ),
  ...complaints(`${path}.key`, key, names.qualifiedNameProblems(key)),
]

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const LIFECYCLES = ['Persistent', 'Ephemeral']
const LEAST_TOKEN_SECONDS = 600
const MOST_TOKEN_SECONDS = 2 ** 32
const TOKEN_WARNING =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'

export const csiDriverStrategy: Strategy<storage.CSIDriver> = {
  allowUnconditionalUpdate: false,
  generation: false,
  defaults({ spec }) {
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
  },
  prepareCreate({ spec }) {
    // Behind the gate VolumeLimitScaling, which is alpha.
    delete spec.preventPodSchedulingIfMissing
  },
  // Changes are counted, and creation is not.
  prepareUpdate({ spec, metadata }, old) {
    if (old.spec.preventPodSchedulingIfMissing === undefined) delete spec.preventPodSchedulingIfMissing
    if (!same(spec, old.spec)) metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validate: ({ spec }, old) => [
    ...validateDriver(spec),
    ...(old
      ? [
          ...immutable('spec.attachedRequired', spec.attachRequired, old.spec.attachRequired),
          ...immutable('spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.spec.volumeLifecycleModes),
        ]
      : []),
  ],
  warnings: ({ spec: { tokenRequests, serviceAccountTokenInSecrets } }, old) =>
    tokenRequests?.length &&
    serviceAccountTokenInSecrets === undefined &&
    !(old && same(tokenRequests, old.spec.tokenRequests))
      ? [TOKEN_WARNING]
      : [],
}

function validateDriver(spec: storage.CSIDriverSpec): FieldError[] {
  const { fsGroupPolicy, tokenRequests = [], volumeLifecycleModes, serviceAccountTokenInSecrets: inSecrets } = spec
  const period = spec.nodeAllocatableUpdatePeriodSeconds
  const problems: FieldError[] = []
  if (fsGroupPolicy !== undefined && !GROUP_POLICIES.includes(fsGroupPolicy))
    problems.push(notSupported('spec.fsGroupPolicy', fsGroupPolicy, GROUP_POLICIES))
  problems.push(
    ...each(tokenRequests, 'spec.tokenRequests', (request, path, index) => {
      const first = tokenRequests.findIndex(({ audience }) => audience === request.audience)
      return first < index ? [duplicate(`${path}.audience`, request.audience)] : validateLifetime(request, path)
    }),
  )
  for (const mode of volumeLifecycleModes ?? [])
    if (!LIFECYCLES.includes(mode)) problems.push(notSupported('spec.volumeLifecycleModes', mode, LIFECYCLES))
  if (period !== undefined && period < 10)
    problems.push(
      invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds'),
    )
  if (inSecrets !== undefined && tokenRequests.length === 0)
    problems.push(
      invalid(
        'spec.serviceAccountTokenInSecrets',
        inSecrets,
        'serviceAccountTokenInSecrets is set but no tokenRequests are specified',
      ),
    )
  return problems
}

function validateLifetime({ expirationSeconds: seconds }: storage.TokenRequest, path: string): FieldError[] {
  const field = `${path}.expirationSeconds`
  if (seconds === undefined) return []
  if (seconds < LEAST_TOKEN_SECONDS) return [invalid(field, seconds, 'may not specify a duration less than 10 minutes')]
  return seconds > MOST_TOKEN_SECONDS
    ? [invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')]
    : []
}

const LONGEST_NODE_ID = 256

export const csiNodeStrategy: Strategy<storage.CSINode> = {
  allowUnconditionalUpdate: false,
  generation: false,
  validate: ({ spec }, old) => [...validateNodeDrivers(spec.drivers ?? []), ...keptDrivers(spec, old?.spec)],
}

function validateNodeDrivers(drivers: storage.CSINodeDriver[]): FieldError[] {
  const seen = new Set<string>()
  return each(drivers, 'spec.drivers', ({ name, nodeID, topologyKeys, allocatable }, path) => {
    const problems = validateDriverName(name, `${path}.name`)
    if (!nodeID) problems.push(required(`${path}.nodeID`))
    else if (Buffer.byteLength(nodeID) > LONGEST_NODE_ID)
      problems.push(invalid(`${path}.nodeID`, nodeID, `must be ${LONGEST_NODE_ID} characters or less`))
    problems.push(...nonNegative(`${path}.allocatable.count`, allocatable?.count))
    if (seen.has(name)) problems.push(duplicate(`${path}.name`, name))
    seen.add(name)
    for (const [index, key] of (topologyKeys ?? []).entries()) {
      if (!key) problems.push(required(path))
      if (topologyKeys!.indexOf(key) < index) problems.push(duplicate(path, key))
      problems.push(...complaints(path, key, names.qualifiedNameProblems(key)))
    }
    return problems
  })
}

/** A driver that stays may only change how many volumes it takes. */
function keptDrivers({ drivers }: storage.CSINodeSpec, old: storage.CSINodeSpec | undefined): FieldError[] {
  const fixed = ({ name, nodeID, topologyKeys }: storage.CSINodeDriver) => ({ name, nodeID, topologyKeys })
  return (old?.drivers ?? []).flatMap(before =>
    (drivers ?? [])
      .filter(({ name }) => name === before.name)
      .filter(driver => !same(fixed(driver), fixed(before)))
      .map(driver => invalid('spec.drivers', goValue('storage/v1.CSINodeDriver', fixed(driver)), IMMUTABLE)),
  )
}

/** Of an attachment, whose volume is not an object of its own. Only CSI volumes are attached in this way. */
function validateInlineVolume(spec: core.PersistentVolumeSpec, path: string): FieldError[] {
  const problems: FieldError[] = []
  const inContext = 'in the context of inline volumes'
  const refuse = (field: string, detail = `may not be specified ${inContext}`) =>
    problems.push(forbidden(`${path}.${field}`, detail))
  const { csi, accessModes = [], volumeMode, persistentVolumeReclaimPolicy: policy } = spec
  if (spec.claimRef) refuse('claimRef')
  if (Object.keys(spec.capacity ?? {}).length) refuse('capacity')
  if (!csi) problems.push(required(`${path}.csi`, `has to be specified ${inContext}`))
  if (accessModes.length === 0) problems.push(required(`${path}.accessModes`))
  problems.push(...validateAccessModes(accessModes, `${path}.accessModes`))
  if (policy && policy !== 'Retain') refuse('persistentVolumeReclaimPolicy', `may only be Retain ${inContext}`)
  if (spec.nodeAffinity) refuse('nodeAffinity')
  problems.push(...validateSource(spec, path))
  if (spec.storageClassName) refuse('storageClassName')
  if (volumeMode !== undefined && volumeMode !== 'Filesystem')
    refuse('volumeMode', `may not specify volumeMode other than Filesystem ${inContext}`)
  return problems
}

const LONGEST_MESSAGE = 1024

export const volumeAttachmentStrategy: Strategy<storage.VolumeAttachment> = {
  allowUnconditionalUpdate: false,
  generation: false,
  validate: (attachment, old) => validateAttachment(attachment, old),
  validateStatusUpdate: (attachment, old) => validateAttachment(attachment, old),
}

function validateAttachment({ spec, status }: storage.VolumeAttachment, old?: storage.VolumeAttachment): FieldError[] {
  const { attacher, nodeName, source } = spec
  const volume = source?.persistentVolumeName
  const field = 'spec.source.persistentVolumeName'
  return [
    ...validateDriverName(attacher, 'spec.attacher'),
    ...validateAttached(source ?? {}),
    ...complaints('spec.nodeName', nodeName, names.dns1123SubdomainProblems(nodeName)),
    ...validateAttachmentStatus(status ?? {}),
    ...(volume === undefined ? [] : complaints(field, volume, names.dns1123SubdomainProblems(volume))),
    ...(old && !same(spec, old.spec)
      ? [invalid('spec', goValue('storage/v1.VolumeAttachmentSpec', spec), IMMUTABLE)]
      : []),
  ]
}

function validateAttached({ inlineVolumeSpec, persistentVolumeName }: storage.VolumeAttachmentSource): FieldError[] {
  const field = 'spec.source'
  const exactly = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (inlineVolumeSpec && persistentVolumeName !== undefined) return [forbidden(field, exactly)]
  if (inlineVolumeSpec) return validateInlineVolume(inlineVolumeSpec, `${field}.inlineVolumeSpec`)
  if (persistentVolumeName === undefined) return [required(field, exactly)]
  return persistentVolumeName
    ? []
    : [required(`${field}.persistentVolumeName`, 'must specify non empty persistentVolumeName')]
}

function validateAttachmentStatus(status: Partial<storage.VolumeAttachmentStatus>): FieldError[] {
  const problems =
    sizeOf(status.attachmentMetadata ?? {}) > LARGEST_MAP ? [tooLong('status.attachmentMetadata', '', LARGEST_MAP)] : []
  for (const kind of ['attachError', 'detachError'] as const) {
    const { message = '', errorCode } = status[kind] ?? {}
    // The limit that upstream tells is not the one that it keeps.
    if (Buffer.byteLength(message) > LONGEST_MESSAGE) problems.push(tooLong(`status.${kind}.message`, '', LARGEST_MAP))
    if (errorCode !== undefined && errorCode < 0)
      problems.push(invalid(`status.${kind}.errorCode`, errorCode, 'must be between 0 and 2147483647, inclusive'))
  }
  return problems
}

export const volumeAttributesClassStrategy: Strategy<storage.VolumeAttributesClass> = {
  generation: false,
  validate: (attributes, old) => [
    ...(old
      ? (['driverName', 'parameters'] as const)
          .filter(field => !same(attributes[field], old[field]))
          .map(field => forbidden(field, `updates to ${field} are forbidden.`))
      : []),
    ...validateProvisioner(attributes.driverName, 'driverName'),
    ...validateParameters(attributes.parameters),
    ...(Object.keys(attributes.parameters ?? {}).length
      ? []
      : [required('parameters', 'must contain at least one key/value pair')]),
  ],
}

export const csiStorageCapacityStrategy: Strategy<storage.CSIStorageCapacity> = {
  allowUnconditionalUpdate: false,
  generation: false,
  validate({ storageClassName: name = '', nodeTopology, capacity }, old) {
    return [
      ...validateLabelSelector(nodeTopology, 'nodeTopology'),
      ...complaints('storageClassName', name, names.dns1123SubdomainProblems(name)),
      ...(capacity !== undefined && quantity.compare(capacity, quantity.zero) < 0
        ? [invalid('capacity', capacity, 'must be greater than or equal to 0')]
        : []),
      ...(old
        ? [
            ...immutable('nodeTopology', nodeTopology, old.nodeTopology),
            ...immutable('storageClassName', name, old.storageClassName),
          ]
        : []),
    ]
  },
  warnings: ({ nodeTopology }) => nodeSelectorWarnings(nodeTopology, 'nodeTopology'),
}
