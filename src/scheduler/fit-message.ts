import type { Failure } from './framework.ts'

/**
 * Why no node would do, as FailedScheduling and the PodScheduled condition say it:
 * `0/3 nodes are available: 1 Too many pods, 2 Insufficient cpu.`
 */
export function fitMessage({ nodes, rejections, absent, preFilter }: Failure): string {
  const total = nodes.list.length
  const message = `0/${total} nodes are available:`
  if (preFilter) return `${message} ${preFilter.reasons.join(', ')}.`
  const counts = new Map<string, number>()
  const count = (reasons: string[], by: number) => {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + by)
  }
  for (const { reasons } of rejections.values()) count(reasons, 1)
  if (absent && rejections.size < total) count(absent.reasons, total - rejections.size)
  const histogram = [...counts].map(([reason, by]) => `${by} ${reason}`).sort()
  return histogram.length ? `${message} ${histogram.join(', ')}.` : message
}
