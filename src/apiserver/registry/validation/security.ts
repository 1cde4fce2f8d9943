import type { core, FieldError } from '../../../api/index.ts'
import { duplicate, each, invalid, notSupported, required, tooLong } from './field.ts'
import { validateRelativePath } from './mounts.ts'
import { validateWindowsOptions } from './operating-system.ts'

const LARGEST_ID = 2 ** 31 - 1

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateSecurityContext */
export function validateSecurityContext(
  context: core.SecurityContext | undefined,
  path: string,
  hostUsers: boolean,
): FieldError[] {
  if (!context) return []
  return [
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...validateProcMount(context.procMount, `${path}.procMount`, hostUsers),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateEscalation(context, path),
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
  ]
}

function validateProcMount(type: string | undefined, field: string, hostUsers: boolean): FieldError[] {
  if (type === undefined) return []
  if (type !== 'Default' && type !== 'Unmasked') return [notSupported(field, type, ['Default', 'Unmasked'])]
  return hostUsers && type === 'Unmasked' ? [invalid(field, type, '`hostUsers` must be false to use `Unmasked`')] : []
}

function validateEscalation(context: core.SecurityContext, path: string): FieldError[] {
  const { allowPrivilegeEscalation, privileged, capabilities } = context
  if (allowPrivilegeEscalation !== false) return []
  const clash = (what: string) => invalid(path, context, `cannot set \`allowPrivilegeEscalation\` to false and ${what}`)
  return [
    ...(privileged ? [clash('`privileged` to true')] : []),
    ...(capabilities?.add ?? [])
      .filter(capability => capability === 'CAP_SYS_ADMIN')
      .map(() => clash('`capabilities.Add` CAP_SYS_ADMIN')),
  ]
}

/** As messages show it. */
const SYSCTL = String.raw`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
const SYSCTL_NAME = new RegExp(SYSCTL)

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePodSecurityContext */
export function validatePodSecurityContext(spec: core.PodSpec, path: string): FieldError[] {
  const context = spec.securityContext
  if (!context) return []
  const sysctls = new Set<string>()
  return [
    ...validateId(context.fsGroup, `${path}.fsGroup`),
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...each(context.supplementalGroups, `${path}.supplementalGroups`, validateId),
    ...(spec.shareProcessNamespace && spec.hostPID
      ? [invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled')]
      : []),
    ...each(context.sysctls, `${path}.sysctls`, ({ name }, at) => {
      if (!name) return [required(`${at}.name`)]
      if (name.length > 253 || !SYSCTL_NAME.test(name))
        return [invalid(`${at}.name`, name, `must have at most 253 characters and match regex ${SYSCTL}`)]
      if (sysctls.has(name)) return [duplicate(`${at}.name`, name)]
      sysctls.add(name)
      return []
    }),
    ...validateChoice(context.fsGroupChangePolicy, `${path}.fsGroupChangePolicy`, ['Always', 'OnRootMismatch']),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
    ...validateChoice(context.supplementalGroupsPolicy, `${path}.supplementalGroupsPolicy`, ['Merge', 'Strict']),
    ...validateChoice(context.seLinuxChangePolicy, `${path}.seLinuxChangePolicy`, ['Recursive']),
  ]
}

/** An empty one is no choice. */
const validateChoice = (value: string | undefined, field: string, choices: string[]): FieldError[] =>
  value === undefined || choices.includes(value) ? [] : [notSupported(field, value, choices)]

const validateId = (id: number | undefined, field: string): FieldError[] =>
  id !== undefined && (id < 0 || id > LARGEST_ID)
    ? [invalid(field, id, `must be between 0 and ${LARGEST_ID}, inclusive`)]
    : []

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined']
const LONGEST_PROFILE = 4095

function validateSeccomp(profile: core.SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return []
  const { type, localhostProfile: file } = profile
  const field = `${path}.localhostProfile`
  const problems: FieldError[] = []
  if (!type) problems.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!PROFILES.includes(type)) problems.push(notSupported(`${path}.type`, type, PROFILES))
  if (type === 'Localhost') {
    if (file === undefined) problems.push(required(field, 'must be set when seccomp type is Localhost'))
    else problems.push(...validateRelativePath(file, field))
  } else if (file !== undefined) {
    const shown = { Type: type ?? '', LocalhostProfile: file }
    problems.push(invalid(field, shown, 'can only be set when seccomp type is Localhost'))
  }
  return problems
}

function validateAppArmor(profile: core.AppArmorProfile | undefined, path: string): FieldError[] {
  if (!profile) return []
  const { type, localhostProfile: file } = profile
  const field = `${path}.localhostProfile`
  if (!type) return [required(`${path}.type`, 'type is required when appArmorProfile is set')]
  if (!PROFILES.includes(type)) return [notSupported(`${path}.type`, type, PROFILES)]
  if (type !== 'Localhost') {
    return file === undefined ? [] : [invalid(field, file, 'can only be set when AppArmor type is Localhost')]
  }
  const missing = required(field, 'must be set when AppArmor type is Localhost')
  if (file === undefined) return [missing]
  const problems: FieldError[] = []
  if (file.trim() !== file) problems.push(invalid(field, file, 'must not be padded with whitespace'))
  else if (!file) problems.push(missing)
  return file.length > LONGEST_PROFILE ? [...problems, tooLong(field, '', LONGEST_PROFILE)] : problems
}
