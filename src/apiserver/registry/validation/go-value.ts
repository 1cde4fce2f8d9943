import { type FieldModel, model } from '../../../api/index.ts'

/**
 * A value as upstream's messages show it where its validation works on Go structs that have no JSON names: with Go's names,
 * and with everything that was left out.
 */
export function goValue(type: string, value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (Array.isArray(value)) return value.map(item => goValue(type, item))
  // The types of metadata are the same on the inside and outside.
  if (type.startsWith('meta/') || typeof value !== 'object') return value
  return Object.assign({}, ...model.type(type).fields.map(field => shown(field, value as Record<string, unknown>)))
}

function shown(field: FieldModel, object: Record<string, unknown>): Record<string, unknown> {
  const value = object[field.name]
  // An embedded struct has no name of its own.
  if (field.type === 'meta/v1.ObjectMeta') return (value as Record<string, unknown> | undefined) ?? {}
  return { [goName(field.name)]: shownValue(field, value) }
}

function shownValue(field: FieldModel, value: unknown): unknown {
  const { kind, pointer, items, type } = field
  const nil = pointer || kind === 'list' || kind === 'map' || kind === 'raw'
  if (value === undefined || value === null)
    return nil ? null : kind === 'struct' ? goValue(type, {}) : (ZEROS[kind] ?? '')
  if (kind === 'struct') return goValue(type, value)
  if (items?.kind !== 'struct') return value
  if (kind === 'list') return goValue(items.type, value)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, goValue(items.type, item)]))
}

const ZEROS: Record<string, unknown> = { int32: 0, int64: 0, bool: false, float64: 0, quantity: '0' }

/** Words that Go writes in capitals, and names that are not simply those of JSON. */
const NAMES: Record<string, string> = {
  cel: 'CEL',
  csi: 'CSI',
  nfs: 'NFS',
  rbd: 'RBD',
  fc: 'FC',
  iscsi: 'ISCSI',
  cephfs: 'CephFS',
  storageos: 'StorageOS',
  gcePersistentDisk: 'GCEPersistentDisk',
  awsElasticBlockStore: 'AWSElasticBlockStore',
  scaleIO: 'ScaleIO',
  uid: 'UID',
  url: 'URL',
  ips: 'IPs',
  cidrs: 'CIDRs',
  apiGroup: 'APIGroup',
  apiGroups: 'APIGroups',
  apiVersion: 'APIVersion',
  bool: 'BoolValue',
  int: 'IntValue',
  string: 'StringValue',
  version: 'VersionValue',
}

const goName = (name: string) => NAMES[name] ?? name[0]!.toUpperCase() + name.slice(1)
