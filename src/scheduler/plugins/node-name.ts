import type { Plugin } from '../framework.ts'

const name = 'NodeName'

/** A pod that names its node goes there or nowhere. */
export const nodeName: Plugin = {
  name,
  events: ['NodeAdd'],
  filter(_state, pod, { node }) {
    if (pod.spec.nodeName && pod.spec.nodeName !== node!.metadata.name)
      return { plugin: name, reasons: ["node(s) didn't match the requested node name"], unresolvable: true }
  },
}
