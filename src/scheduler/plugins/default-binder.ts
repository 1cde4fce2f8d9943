import { resources } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import type { Plugin } from '../framework.ts'

/** Binds through the pod's binding subresource. */
export const defaultBinder = (client: Client): Plugin => ({
  name: 'DefaultBinder',
  async bind(_state, pod, node) {
    const { name, namespace, uid } = pod.metadata
    await client.createSubresource(resources.pods, { namespace, name }, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { kind: 'Node', name: node },
    })
  },
})
