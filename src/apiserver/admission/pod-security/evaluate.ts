import { BASELINE } from './baseline.ts'
import type { Check, Finding, Judge, Runs } from './check.ts'
import { LATEST, type Standard, text } from './policy.ts'
import { RESTRICTED } from './restricted.ts'

/** The last minor version that has changed a check; later ones judge as it does. */
const NEWEST = Math.max(...[...BASELINE, ...RESTRICTED].flatMap(({ since }) => since.map(([minor]) => minor)))

/** By level and minor version; made when first asked for. */
const known = new Map<string, Judge[]>()

/** What the standard has against the pod. */
export function findings(standard: Standard, pod: Runs): Finding[] {
  if (standard.level === 'privileged') return []
  return judges(standard).flatMap(judge => judge(pod) ?? [])
}

/** `violates PodSecurity "baseline:latest": privileged (container "a" must not ...)` without the first word. */
export const told = (standard: Standard, found: Finding[]): string =>
  `PodSecurity "${text(standard)}": ${found.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ')}`

function judges({ level, version }: Standard): Judge[] {
  const minor = version === LATEST ? NEWEST : Math.min(Number(version.slice('v1.'.length)), NEWEST)
  const key = `${level}:${minor}`
  let found = known.get(key)
  if (!found) {
    const restricted = level === 'restricted' ? RESTRICTED.filter(check => judgeAt(check, minor)) : []
    const replaced = restricted.map(({ replaces }) => replaces)
    const baseline = BASELINE.filter(({ id }) => !replaced.includes(id))
    found = [...baseline, ...restricted].flatMap(check => judgeAt(check, minor) ?? [])
    known.set(key, found)
  }
  return found
}

const judgeAt = ({ since }: Check, minor: number): Judge | undefined => since.findLast(([first]) => first <= minor)?.[1]
