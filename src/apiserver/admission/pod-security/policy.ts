import type { FieldError } from '../../../api/index.ts'
import { invalid } from '../../registry/validation/field.ts'

/** From the laxest to the strictest. */
export const LEVELS = ['privileged', 'baseline', 'restricted'] as const
export type Level = (typeof LEVELS)[number]

/** What pods are held against: a level as a release of Kubernetes means it. */
export interface Standard {
  level: Level
  /** `latest`, or `v1.` and a number. */
  version: string
}

/** What is done about pods that fall short: refuse them, note it in the audit log, warn who asks. */
export interface Policy {
  enforce: Standard
  audit: Standard
  warn: Standard
}

export const MODES = ['enforce', 'audit', 'warn'] as const
export const PREFIX = 'pod-security.kubernetes.io/'
export const LATEST = 'latest'

const NONE: Standard = { level: 'privileged', version: LATEST }
export const LAX: Policy = { enforce: NONE, audit: NONE, warn: NONE }

export const text = ({ level, version }: Standard) => `${level}:${version}`
export const alike = (a: Standard, b: Standard) => a.level === b.level && a.version === b.version
export const strictness = ({ level }: Standard) => LEVELS.indexOf(level)
export const isLax = (policy: Policy) => MODES.every(mode => policy[mode].level === 'privileged')

export const isLevel = (value: string): value is Level => (LEVELS as readonly string[]).includes(value)
export const isVersion = (value: string) => value === LATEST || /^v1\.(0|[1-9]\d{0,17})$/.test(value)
export const BAD_LEVEL = `must be one of ${LEVELS.join(', ')}`
export const BAD_VERSION = 'must be "latest" or "v1.x"'

/**
 * What a namespace's labels say. Of labels that say nothing sensible the strictest is enforced, while nobody is warned.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces
 */
export function policyOf(
  labels: Record<string, string> = {},
  defaults: Policy,
): { policy: Policy; problems: FieldError[] } {
  const problems: FieldError[] = []
  const policy = {} as Policy
  for (const mode of MODES) {
    const { [PREFIX + mode]: level, [`${PREFIX}${mode}-version`]: version } = labels
    const standard = { ...defaults[mode] }
    if (level !== undefined) {
      const known = isLevel(level)
      if (!known) problems.push(invalid(`metadata.labels[${PREFIX}${mode}]`, level, BAD_LEVEL))
      standard.level = known ? level : mode === 'enforce' ? 'restricted' : 'privileged'
    }
    if (version !== undefined) {
      const known = isVersion(version)
      if (!known) problems.push(invalid(`metadata.labels[${PREFIX}${mode}-version]`, version, BAD_VERSION))
      standard.version = known ? version : LATEST
    }
    policy[mode] = standard
  }
  const { [`${PREFIX}enforce`]: enforced, [`${PREFIX}warn`]: warned, [`${PREFIX}warn-version`]: warnVersion } = labels
  // Who is refused is warned as well, where a controller will be refused later.
  if (warned !== undefined || !isLevel(enforced ?? '') || strictness(policy.enforce) <= strictness(policy.warn))
    return { policy, problems }
  const version = warnVersion === undefined ? policy.enforce.version : policy.warn.version
  return { policy: { ...policy, warn: { level: policy.enforce.level, version } }, problems }
}
