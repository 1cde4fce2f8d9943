import { type core, type FieldError, names } from '../../../api/index.ts'
import { complaints, each, forbidden, invalid } from './field.ts'

/** What pods may ask for depends on the system that they run on. Source: k8s.io/kubernetes/pkg/apis/core/validation validateOS */

type AnyContainer = core.Container | core.EphemeralContainer

/** Every container with its path, in the order in which upstream visits them. */
export const eachContainer = (
  spec: core.PodSpec,
  path: string,
  check: (container: AnyContainer, path: string) => FieldError[],
): FieldError[] => [
  ...each<AnyContainer>(spec.initContainers, `${path}.initContainers`, check),
  ...each<AnyContainer>(spec.containers, `${path}.containers`, check),
  ...each<AnyContainer>(spec.ephemeralContainers, `${path}.ephemeralContainers`, check),
]

const POD_LINUX_ONLY = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const
const POD_CONTEXT_LINUX_ONLY = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const
const CONTEXT_LINUX_ONLY = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const

export function validateForSystem(spec: core.PodSpec, path: string): FieldError[] {
  if (spec.os?.name === 'linux') return validateLinux(spec, path)
  return spec.os?.name === 'windows' ? validateWindows(spec, path) : []
}

const validateLinux = (spec: core.PodSpec, path: string): FieldError[] => {
  const refuse = (context: { windowsOptions?: unknown } | undefined, at: string) =>
    context?.windowsOptions
      ? [forbidden(`${at}.securityContext.windowsOptions`, 'windows options cannot be set for a linux pod')]
      : []
  return [
    ...refuse(spec.securityContext, path),
    ...eachContainer(spec, path, ({ securityContext }, at) => refuse(securityContext, at)),
  ]
}

const WINDOWS_DETAIL = 'cannot be set for a windows pod'

function validateWindows(spec: core.PodSpec, path: string): FieldError[] {
  const refuse = <T extends object>(holder: T | undefined, fields: readonly (keyof T & string)[], at: string) =>
    fields.filter(field => holder?.[field] !== undefined).map(field => forbidden(`${at}.${field}`, WINDOWS_DETAIL))
  return [
    ...refuse(spec, POD_LINUX_ONLY, path),
    ...refuse(spec.securityContext, POD_CONTEXT_LINUX_ONLY, `${path}.securityContext`),
    ...eachContainer(spec, path, ({ securityContext }, at) =>
      refuse(securityContext, CONTEXT_LINUX_ONLY, `${at}.securityContext`),
    ),
  ]
}

/** Containers that are processes of their host: all of a pod's or none. */
export function validateHostProcess(spec: core.PodSpec, path: string): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  const counts = { all: 0, host: 0 }
  const problems = eachContainer(spec, path, ({ securityContext }, at) => {
    const own = securityContext?.windowsOptions?.hostProcess
    counts.all++
    if (own ?? ofPod) counts.host++
    if (ofPod === undefined || own === undefined || own === ofPod) return []
    const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`
    return [invalid(`${at}.securityContext.windowsOptions.hostProcess`, own, detail)]
  })
  if (counts.host === 0) return problems
  if (counts.host !== counts.all) {
    const detail = 'If pod contains any hostProcess containers then all containers must be HostProcess containers'
    problems.push(invalid(path, '', detail))
  }
  if (!spec.hostNetwork) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers'
    problems.push(invalid(`${path}.hostNetwork`, false, detail))
  }
  return problems
}

const LARGEST_CREDENTIAL_KIB = 64
const LONGEST_USER = 104
const LONGEST_DOMAIN = 256
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const DOMAIN = /^[^\\/:*?"<>|.]+(\.[^\\/:*?"<>|.]+)+$/

export function validateWindowsOptions(
  options: core.WindowsSecurityContextOptions | undefined,
  path: string,
): FieldError[] {
  if (!options) return []
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: credential, runAsUserName: user } = options
  const problems: FieldError[] = []
  if (name !== undefined) {
    problems.push(...complaints(`${path}.gmsaCredentialSpecName`, name, names.dns1123SubdomainProblems(name)))
  }
  const field = `${path}.gmsaCredentialSpec`
  if (credential === '') problems.push(invalid(field, credential, 'gmsaCredentialSpec cannot be an empty string'))
  if (credential && Buffer.byteLength(credential) > LARGEST_CREDENTIAL_KIB * 1024) {
    const detail = `gmsaCredentialSpec size must be under ${LARGEST_CREDENTIAL_KIB} KiB`
    problems.push(invalid(field, credential, detail))
  }
  return user === undefined ? problems : [...problems, ...complaints(`${path}.runAsUserName`, user, userProblems(user))]
}

/** `DOMAIN\\user`, of which the domain may be left out. */
function userProblems(text: string): string[] {
  if (text === '') return ['runAsUserName cannot be an empty string']
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return ['runAsUserName cannot contain control characters']
  const parts = text.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const user = parts.at(-1)!
  const domain = parts.length === 2 ? parts[0]! : undefined
  const problems: string[] = []
  if (domain !== undefined && domain.length >= LONGEST_DOMAIN) {
    problems.push(`runAsUserName's Domain length must be under ${LONGEST_DOMAIN} characters`)
  }
  if (domain !== undefined && !NET_BIOS.test(domain) && !DOMAIN.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  }
  if (!user) problems.push("runAsUserName's User cannot be empty")
  else if (user.length > LONGEST_USER) {
    problems.push(`runAsUserName's User length must not be longer than ${LONGEST_USER} characters`)
  }
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  }
  return problems
}
