import { type core, type FieldError, names } from '../../../api/index.ts'
import { complaints, each, invalid, notSupported, own, required } from './field.ts'
import { validateNoBackstep } from './mounts.ts'

/** Environment variables and the references to fields that also volumes use. */

/** In the order in which they are listed to whoever names another. */
const ENV_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const VOLUME_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
/** Fields of a pod that can be selected, though not everywhere be referred to. */
const POD_FIELDS = [
  ...ENV_FIELDS,
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.hostNetwork',
  'status.phase',
  'status.nominatedNodeName',
]

const RESOURCE_FIELDS = ['cpu', 'ephemeral-storage', 'memory']
  .flatMap(name => [`limits.${name}`, `requests.${name}`])
  .sort()
const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const

export const validateEnv = (variables: core.EnvVar[] | undefined, path: string): FieldError[] =>
  each(variables, path, (variable, at) => [
    ...(variable.name
      ? complaints(`${at}.name`, variable.name, names.envVarNameProblems(variable.name))
      : [required(`${at}.name`)]),
    ...validateValueFrom(variable, `${at}.valueFrom`),
  ])

function validateValueFrom({ value, valueFrom }: core.EnvVar, path: string): FieldError[] {
  if (!valueFrom) return []
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom
  const problems: FieldError[] = []
  if (fieldRef) problems.push(...validateFieldRef(fieldRef, ENV_FIELDS, `${path}.fieldRef`))
  if (resourceFieldRef) problems.push(...validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, false))
  if (configMapKeyRef) problems.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`))
  if (secretKeyRef) problems.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`))
  if (fileKeyRef) problems.push(...validateFileKeyRef(fileKeyRef, `${path}.fileKeyRef`))
  const count = SOURCES.filter(source => valueFrom[source]).length
  if (count === 0) problems.push(invalid(path, '', NO_SOURCE))
  else if (value) problems.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  else if (count > 1) problems.push(invalid(path, '', 'may not have more than one field specified at a time'))
  return problems
}

const NO_SOURCE =
  'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'

function validateFileKeyRef({ key, volumeName, path: file }: core.FileKeySelector, path: string): FieldError[] {
  const [keyField, nameField, fileField] = [`${path}.key`, `${path}.volumeName`, `${path}.path`]
  return [
    ...(key ? complaints(keyField, key, names.envVarNameProblems(key)) : [required(keyField)]),
    ...(volumeName ? complaints(nameField, volumeName, names.dns1123LabelProblems(volumeName)) : [required(nameField)]),
    ...(file ? validateNoBackstep(file, fileField) : [required(fileField)]),
  ]
}

function validateKeyRef({ name, key }: core.ConfigMapKeySelector | core.SecretKeySelector, path: string): FieldError[] {
  return [
    ...complaints(`${path}.name`, name ?? '', names.dns1123SubdomainProblems(name ?? '')),
    ...(key ? complaints(`${path}.key`, key, names.configMapKeyProblems(key)) : [required(`${path}.key`)]),
  ]
}

export const validateVolumeFieldRef = (reference: core.ObjectFieldSelector, path: string): FieldError[] =>
  validateFieldRef(reference, VOLUME_FIELDS, path)

function validateFieldRef(
  { apiVersion, fieldPath }: core.ObjectFieldSelector,
  allowed: string[],
  path: string,
): FieldError[] {
  if (!apiVersion) return [required(`${path}.apiVersion`)]
  if (!fieldPath) return [required(`${path}.fieldPath`)]
  const field = `${path}.fieldPath`
  if (apiVersion !== 'v1') {
    return [invalid(field, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)]
  }
  const [, base, key] = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/.exec(fieldPath) ?? []
  if (base)
    return complaints(
      path,
      key,
      names.qualifiedNameProblems(base === 'metadata.annotations' ? key!.toLowerCase() : key!),
    )
  if (!POD_FIELDS.includes(fieldPath)) {
    return [invalid(field, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)]
  }
  return allowed.includes(fieldPath) ? [] : [notSupported(field, fieldPath, allowed)]
}

export function validateResourceFieldRef(
  { resource, containerName, divisor }: core.ResourceFieldSelector,
  path: string,
  inVolume: boolean,
): FieldError[] {
  const known = RESOURCE_FIELDS.includes(resource) || HUGE_PAGES.test(resource)
  const problems: FieldError[] = []
  if (inVolume && !containerName) problems.push(required(`${path}.containerName`))
  else if (!resource) problems.push(required(`${path}.resource`))
  else if (!known) problems.push(notSupported(`${path}.resource`, resource, RESOURCE_FIELDS))
  return [...problems, ...validateDivisor(resource, divisor, `${path}.divisor`)]
}

const HUGE_PAGES = /^(limits|requests)\.hugepages-/
const BYTES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
const DIVISORS: Record<string, [values: string[], called: string]> = {
  cpu: [['1m', '1'], 'cpu'],
  memory: [BYTES, 'memory'],
  'ephemeral-storage': [BYTES, 'local ephemeral storage'],
  hugepages: [BYTES, 'hugepages'],
}

function validateDivisor(resource: string, divisor: string | undefined, field: string): FieldError[] {
  if (!divisor || divisor === '0') return []
  const kind = HUGE_PAGES.test(resource) ? 'hugepages' : /^(?:limits|requests)\.(.*)$/.exec(resource)?.[1]
  const [values, called] = own(DIVISORS, kind ?? '') ?? []
  if (!values || values.includes(divisor)) return []
  const allowed = kind === 'cpu' ? values.join(' and ') : values.join(', ')
  return [invalid(field, resource, `only divisor's values ${allowed} are supported with the ${called} resource`)]
}

export const validateEnvFrom = (sources: core.EnvFromSource[] | undefined, path: string): FieldError[] =>
  each(sources, path, ({ prefix, configMapRef, secretRef }, at) => {
    const problems = prefix ? complaints(`${at}.prefix`, prefix, names.envVarNameProblems(prefix)) : []
    if (configMapRef) problems.push(...validateSourceName(configMapRef.name, `${at}.configMapRef.name`))
    if (secretRef) problems.push(...validateSourceName(secretRef.name, `${at}.secretRef.name`))
    if (!configMapRef && !secretRef)
      problems.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (configMapRef && secretRef)
      problems.push(invalid(path, '', 'may not have more than one field specified at a time'))
    return problems
  })

const validateSourceName = (name: string | undefined, field: string): FieldError[] =>
  name ? complaints(field, name, names.dns1123SubdomainProblems(name)) : [required(field)]
