import type { Plugin } from '../framework.ts'
import type { HostPort } from '../node-info.ts'
import { hostPorts } from '../node-info.ts'

const name = 'NodePorts'

/** Keeps apart pods that want the same port of the host. */
export const nodePorts: Plugin = {
  name,
  events: ['NodeAdd', 'AssignedPodDelete'],
  preFilter(state, pod) {
    state.set(name, hostPorts(pod))
    return undefined
  },
  filter(state, _pod, node) {
    const wanted = state.get(name) as HostPort[]
    if (wanted.some(port => node.hasPort(port)))
      return {
        plugin: name,
        reasons: ["node(s) didn't have free ports for the requested pod ports"],
        unresolvable: false,
      }
  },
}
