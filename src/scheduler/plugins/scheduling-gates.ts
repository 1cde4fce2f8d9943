import type { Plugin } from '../framework.ts'

/** Leaves a pod alone until every gate is taken off it. Source: KEP-3521. */
export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  preEnqueue({ spec: { schedulingGates = [] } }) {
    if (schedulingGates.length > 0)
      return `waiting for scheduling gates: [${schedulingGates.map(gate => gate.name).join(' ')}]`
  },
}
