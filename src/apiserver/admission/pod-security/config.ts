import { type FieldError, fieldErrors, names as rules } from '../../../api/index.ts'
import { duplicate, each, invalid } from '../../registry/validation/field.ts'
import { BAD_LEVEL, BAD_VERSION, isLevel, isVersion, LATEST, MODES, type Policy, type Standard } from './policy.ts'

/** A PodSecurityConfiguration, decoded. */
export interface PodSecurityConfiguration {
  apiVersion?: string
  kind?: string
  defaults?: Record<string, string>
  exemptions?: Partial<Exemptions>
}

/** Whom no standard is enforced on. */
export interface Exemptions {
  usernames: string[]
  namespaces: string[]
  runtimeClasses: string[]
}

export interface PodSecurityOptions {
  /** Of namespaces whose labels say nothing. */
  defaults: Policy
  exemptions: Exemptions
}

const API_VERSION = /^pod-security\.admission\.config\.k8s\.io\/v1(alpha1|beta1)?$/

/**
 * What is configured; throws in upstream's words what is wrong with it.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-admission-controller/
 */
export function podSecurityOptions(given: PodSecurityConfiguration = {}): PodSecurityOptions {
  const { apiVersion, kind, defaults = {}, exemptions = {} } = given
  if ((apiVersion !== undefined || kind !== undefined) && !(API_VERSION.test(apiVersion ?? '') && kind === KIND))
    throw new Error(
      `no kind ${JSON.stringify(kind ?? '')} is registered for version ${JSON.stringify(apiVersion ?? '')}`,
    )
  const { usernames = [], namespaces = [], runtimeClasses = [] } = exemptions
  const problems = [
    ...['enforce', 'warn', 'audit'].flatMap(mode => standardProblems(mode, defaults)),
    ...names('namespaces', namespaces, rules.dns1123LabelProblems),
    ...names('runtimeClasses', runtimeClasses, rules.dns1123SubdomainProblems),
    ...names('usernames', usernames, name => (name ? [] : ['username must not be empty'])),
  ]
  if (problems.length) throw new Error(`PodSecurity invalid: ${fieldErrors(problems)}`)
  const standards = MODES.map(mode => [mode, standardOf(mode, defaults)])
  return { defaults: Object.fromEntries(standards) as Policy, exemptions: { usernames, namespaces, runtimeClasses } }
}

const KIND = 'PodSecurityConfiguration'

function standardOf(mode: string, defaults: Record<string, string>): Standard {
  const { [mode]: level, [`${mode}-version`]: version } = defaults
  return { level: (level || 'privileged') as Standard['level'], version: version || LATEST }
}

function standardProblems(mode: string, defaults: Record<string, string>): FieldError[] {
  const { level, version } = standardOf(mode, defaults)
  return [
    ...(isLevel(level) ? [] : [invalid(`defaults.${mode}`, level, BAD_LEVEL)]),
    ...(isVersion(version) ? [] : [invalid(`defaults.${mode}-version`, version, BAD_VERSION)]),
  ]
}

function names(field: keyof Exemptions, given: string[], problemsOf: (name: string) => string[]): FieldError[] {
  return each(given, `exemptions.${field}`, (name, path, index) => {
    const problems = problemsOf(name)
    if (problems.length) return [invalid(path, name, problems.join(', '))]
    return given.indexOf(name) < index ? [duplicate(path, name)] : []
  })
}
