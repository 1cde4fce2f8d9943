import type { core } from '../../../api/index.ts'
import type { Clock } from '../../../base/index.ts'
import { findings } from './evaluate.ts'
import { type Standard, text } from './policy.ts'

/** Pods that are looked at at most, and for how many milliseconds. */
const MOST = 3000
const LONGEST = 1000

/** What to warn of who has a namespace keep to a standard that pods in it fall short of. */
export function warningsOf(namespace: string, pods: core.Pod[], standard: Standard, clock: Clock): string[] {
  const end = clock.monotonic() + LONGEST
  const chosen = oneOfEach(pods).slice(0, MOST)
  /** Names of pods, by what is wrong with them. */
  const bad = new Map<string, string[]>()
  let checked = 0
  for (const pod of chosen) {
    checked++
    const reasons = findings(standard, pod)
      .map(({ reason }) => reason)
      .join(', ')
    if (reasons) bad.set(reasons, [...(bad.get(reasons) ?? []), pod.metadata.name])
    if (clock.monotonic() > end) break
  }
  const part =
    checked < pods.length
      ? [`new PodSecurity enforce level only checked against the first ${checked} of ${pods.length} existing pods`]
      : []
  if (!bad.size) return part
  return [
    ...part,
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(text(standard))}`,
    ...[...bad].map(([reasons, names]) => `${counted(names)}: ${reasons}`).sort(),
  ]
}

/** One pod of each controller comes first, as its others will hardly differ. */
function oneOfEach(pods: core.Pod[]): core.Pod[] {
  const seen = new Set<string>()
  const isFirst = ({ metadata }: core.Pod) => {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller)?.uid
    if (owner === undefined) return true
    if (seen.has(owner)) return false
    return seen.add(owner)
  }
  const { first = [], rest = [] } = Object.groupBy(pods, pod => (isFirst(pod) ? 'first' : 'rest'))
  return [...first, ...rest]
}

function counted(names: string[]): string {
  const [first] = names.toSorted()
  const others = names.length - 1
  return others ? `${first} (and ${others} other ${others === 1 ? 'pod' : 'pods'})` : first!
}
