import type { core, FieldError } from '../../../api/index.ts'
import { duplicate, each, invalid, notSupported, optionalOneOf, required } from './field.ts'

const LARGEST_ID = 2 ** 31 - 1

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateSecurityContext */
export function validateSecurityContext(context: core.SecurityContext | undefined, path: string): FieldError[] {
  if (!context) return []
  return [
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...optionalOneOf(`${path}.procMount`, context.procMount, ['Default', 'Unmasked']),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateEscalation(context, path),
  ]
}

function validateEscalation(
  { allowPrivilegeEscalation, privileged, capabilities }: core.SecurityContext,
  path: string,
) {
  if (allowPrivilegeEscalation !== false) return []
  const field = `${path}.allowPrivilegeEscalation`
  const problems: FieldError[] = []
  if (privileged) {
    problems.push(invalid(field, false, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'))
  }
  if (capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    problems.push(
      invalid(field, false, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'),
    )
  }
  return problems
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9][-_a-z0-9]*$/

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
    ...optionalOneOf(`${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']),
    ...optionalOneOf(`${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']),
    ...(spec.shareProcessNamespace && spec.hostPID
      ? [
          invalid(
            `${path.slice(0, path.lastIndexOf('.'))}.shareProcessNamespace`,
            true,
            'ShareProcessNamespace and HostPID cannot both be enabled',
          ),
        ]
      : []),
    ...each(context.sysctls, `${path}.sysctls`, ({ name }, at) => {
      if (!name) return [required(`${at}.name`)]
      if (name.length > 253 || !SYSCTL.test(name)) {
        return [
          invalid(
            `${at}.name`,
            name,
            `must have at most 253 characters and match regex ${SYSCTL.source.replace('\\/', '/')}`,
          ),
        ]
      }
      if (sysctls.has(name)) return [duplicate(`${at}.name`, name)]
      sysctls.add(name)
      return []
    }),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
  ]
}

const validateId = (id: number | undefined, field: string): FieldError[] =>
  id !== undefined && (id < 0 || id > LARGEST_ID)
    ? [invalid(field, id, `must be between 0 and ${LARGEST_ID}, inclusive`)]
    : []

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined']

function validateSeccomp(profile: core.SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return []
  if (profile.type === 'Localhost') {
    return profile.localhostProfile
      ? []
      : [required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost')]
  }
  if (profile.localhostProfile) {
    return [
      invalid(`${path}.localhostProfile`, profile.localhostProfile, 'can only be set when seccomp type is Localhost'),
    ]
  }
  if (!profile.type) return [required(`${path}.type`, 'type is required when seccompProfile is set')]
  return PROFILES.includes(profile.type) ? [] : [notSupported(`${path}.type`, profile.type, PROFILES)]
}
