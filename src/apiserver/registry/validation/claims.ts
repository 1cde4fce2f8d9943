import { type core, type FieldError, names, quantity } from '../../../api/index.ts'
import { complaints, forbidden, invalid, notSupported, required, same } from './field.ts'
import { validateResourceValue } from './resources.ts'
import { validateLabelSelector } from './selectors.ts'

/** What a claim asks for. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePersistentVolumeClaimSpec */

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES = ['Block', 'Filesystem']

export function validateAccessModes(modes: string[] = [], field: string): FieldError[] {
  const known = modes.filter(mode => ACCESS_MODES.includes(mode))
  const alone = known.includes('ReadWriteOncePod') && known.some(mode => mode !== 'ReadWriteOncePod')
  return [
    ...modes.filter(mode => !known.includes(mode)).map(mode => notSupported(field, mode, ACCESS_MODES)),
    ...(alone ? [forbidden(field, 'may not use ReadWriteOncePod with other access modes')] : []),
  ]
}

export function validateClaimSpec(spec: core.PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { accessModes, storageClassName, volumeMode, dataSource, dataSourceRef, volumeAttributesClassName } = spec
  const className = (field: string, name: string | undefined) =>
    name ? complaints(`${path}.${field}`, name, names.dns1123SubdomainProblems(name)) : []
  return [
    ...(accessModes?.length ? [] : [required(`${path}.accessModes`, 'at least 1 access mode is required')]),
    ...validateLabelSelector(spec.selector, `${path}.selector`),
    ...validateAccessModes(accessModes, `${path}.accessModes`),
    ...validateStorage(spec.resources.requests?.storage, `${path}.resources[storage]`),
    ...className('storageClassName', storageClassName),
    ...(volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)
      ? [notSupported(`${path}.volumeMode`, volumeMode, VOLUME_MODES)]
      : []),
    ...(dataSource ? validateDataSource(dataSource, `${path}.dataSource`) : []),
    ...(dataSourceRef ? validateDataSource(dataSourceRef, `${path}.dataSourceRef`) : []),
    ...validateSameSource(spec, path),
    ...className('volumeAttributesClassName', volumeAttributesClassName),
  ]
}

function validateStorage(amount: string | undefined, field: string): FieldError[] {
  if (amount === undefined) return [required(field)]
  if (quantity.compare(amount, quantity.zero) <= 0) return [invalid(field, amount, 'must be greater than zero')]
  return validateResourceValue('storage', amount, field)
}

function validateDataSource(source: core.TypedObjectReference, path: string): FieldError[] {
  const { name, kind, apiGroup, namespace } = source
  const problems = name ? [] : [required(`${path}.name`)]
  if (!kind) problems.push(required(`${path}.kind`))
  if (apiGroup) problems.push(...complaints(`${path}.apiGroup`, apiGroup, names.dns1123SubdomainProblems(apiGroup)))
  else if (kind !== 'PersistentVolumeClaim') {
    problems.push(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  }
  return namespace
    ? [...problems, ...complaints(`${path}.namespace`, namespace, names.dns1123LabelProblems(namespace))]
    : problems
}

/** The older of the two fields for the source of the data has to say the same as the newer. */
function validateSameSource({ dataSource, dataSourceRef }: core.PersistentVolumeClaimSpec, path: string): FieldError[] {
  if (!dataSource || !dataSourceRef) return []
  const problem = dataSourceRef.namespace
    ? 'may not be specified when dataSourceRef.namespace is specified'
    : same({ apiGroup: '', ...dataSource }, { apiGroup: '', ...dataSourceRef })
      ? undefined
      : 'must match dataSourceRef'
  // What upstream shows as the value is the path itself.
  return problem ? [invalid(path, {}, problem)] : []
}
