import type { core, meta } from '../../../../api/index.ts'

type Labels = meta.ObjectMeta['labels']

/**
 * Whom a pod keeps near to, away from or apart from may depend on its own labels (`matchLabelKeys`, `mismatchLabelKeys`). When it
 * is created, what they are is written into the selectors, so that who schedules it reads those alone.
 * Source: https://github.com/kubernetes/enhancements/tree/master/keps/sig-scheduling/3633-matchlabelkeys-to-podaffinity
 */
export function mergeLabelKeys({ metadata: { labels }, spec }: core.Pod): void {
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    const { requiredDuringSchedulingIgnoredDuringExecution: required = [] } = affinity ?? {}
    const { preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } = affinity ?? {}
    for (const term of [...required, ...preferred.map(({ podAffinityTerm }) => podAffinityTerm)]) {
      narrow(term.labelSelector, 'In', term.matchLabelKeys, labels)
      narrow(term.labelSelector, 'NotIn', term.mismatchLabelKeys, labels)
    }
  }
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? [])
    narrow(labelSelector, 'In', matchLabelKeys, labels)
}

/** No selector selects nothing, whatever is added. */
function narrow(
  selector: meta.LabelSelector | undefined,
  operator: 'In' | 'NotIn',
  keys: string[] | undefined,
  labels: Labels,
): void {
  if (!selector) return
  const wanted = (keys ?? []).filter(key => labels && Object.hasOwn(labels, key))
  if (!wanted.length) return
  const added = wanted.map(key => ({ key, operator, values: [labels![key]!] }))
  selector.matchExpressions = [...(selector.matchExpressions ?? []), ...added]
}
