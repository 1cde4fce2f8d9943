import { type core, type FieldError, names } from '../../../api/index.ts'
import { complaints, each, invalid, notSupported, required } from './field.ts'

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
  const given = SOURCES.filter(source => valueFrom[source])
  const problems: FieldError[] = []
  if (given.length === 0) {
    problems.push(
      invalid(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    )
  } else if (value) {
    problems.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  }
  if (given.length > 1) problems.push(invalid(path, '', 'may not have more than one field specified at a time'))
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom
  if (fieldRef) problems.push(...validateFieldRef(fieldRef, ENV_FIELDS, `${path}.fieldRef`))
  if (resourceFieldRef) problems.push(...validateResourceFieldRef(resourceFieldRef, `${path}.resourceFieldRef`, false))
  if (configMapKeyRef) problems.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`))
  if (secretKeyRef) problems.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`))
  return problems
}

function validateKeyRef({ name, key }: core.ConfigMapKeySelector | core.SecretKeySelector, path: string): FieldError[] {
  return [
    ...(name ? [] : [required(`${path}.name`)]),
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
  const [, base, key] = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/.exec(fieldPath) ?? []
  if (base)
    return complaints(
      field,
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
  if (inVolume && !containerName) return [required(`${path}.containerName`)]
  if (!resource) return [required(`${path}.resource`)]
  const known = RESOURCE_FIELDS.includes(resource) || /^(limits|requests)\.hugepages-/.test(resource)
  if (!known) return [notSupported(`${path}.resource`, resource, RESOURCE_FIELDS)]
  return validateDivisor(resource, divisor, path)
}

const DIVISORS: [suffix: string, values: string[]][] = [
  ['.cpu', ['1', '1m']],
  ['', ['1', '1E', '1Ei', '1G', '1Gi', '1K', '1Ki', '1M', '1Mi', '1P', '1Pi', '1T', '1Ti']],
]

function validateDivisor(resource: string, divisor: string | undefined, path: string): FieldError[] {
  if (!divisor || divisor === '0') return []
  const [, values] = DIVISORS.find(([suffix]) => resource.endsWith(suffix))!
  if (values.includes(divisor) || divisor === '1k') return []
  const kind = resource.slice(resource.indexOf('.') + 1)
  return [
    invalid(
      `${path}.divisor`,
      kind,
      `only divisor's values ${values.join(', ')} are supported with the ${kind} resource`,
    ),
  ]
}

export const validateEnvFrom = (sources: core.EnvFromSource[] | undefined, path: string): FieldError[] =>
  each(sources, path, ({ prefix, configMapRef, secretRef }, at) => {
    const problems = prefix ? complaints(`${at}.prefix`, prefix, names.envVarNameProblems(prefix)) : []
    if (configMapRef) problems.push(...validateSourceName(configMapRef.name, `${at}.configMapRef.name`))
    if (secretRef) problems.push(...validateSourceName(secretRef.name, `${at}.secretRef.name`))
    if (!configMapRef && !secretRef)
      problems.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (configMapRef && secretRef)
      problems.push(invalid(at, '', 'may not have more than one field specified at a time'))
    return problems
  })

const validateSourceName = (name: string | undefined, field: string): FieldError[] =>
  name ? complaints(field, name, names.dns1123SubdomainProblems(name)) : [required(field)]
