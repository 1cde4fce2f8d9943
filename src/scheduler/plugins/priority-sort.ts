import type { Plugin } from '../framework.ts'

/** The higher priority first; among equals, who waits longest. */
export const prioritySort: Plugin = {
  name: 'PrioritySort',
  less: (a, b) => (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) || a.timestamp - b.timestamp,
}
