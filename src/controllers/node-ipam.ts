import { type core, ip, resources } from '../api/index.ts'
import type { Component } from '../base/index.ts'
import { from, startController } from '../client/index.ts'
import { type Context, recorderOf } from './context.ts'

export interface NodeIpamOptions {
  /** `10.244.0.0/16` */
  clusterCidr: string
  /** The length of each node's prefix: 24 of an IPv4 range. */
  nodeCidrMaskSize: number
}

/**
 * Gives each node a range of the cluster's pod addresses of its own, for as long as the node exists. Which ranges are
 * taken stands at the nodes themselves. Source: the RangeAllocator of k8s.io/kubernetes/pkg/controller/nodeipam
 */
export function startNodeIpamController(context: Context, options: NodeIpamOptions): Component {
  const { client, informers, clock, log } = context
  const nodes = informers.get(resources.nodes)
  const recorder = recorderOf(context, 'cidrAllocator')
  const range = ip.parseCidr(options.clusterCidr)
  const count = 2 ** (options.nodeCidrMaskSize - range.length)
  /** Given, but not yet seen at the node. */
  const given = new Map<string, string>()
  let next = 0

  // One worker: two nodes can never be given the same range.
  const controller = startController({ name: 'node-ipam', workers: 1, sources: [from(nodes)], reconcile, clock, log })

  async function reconcile(name: string): Promise<void> {
    const node = nodes.lister.getByKey(name)
    if (!node || node.spec.podCIDR) {
      given.delete(name)
      return
    }
    if (node.metadata.deletionTimestamp) return
    const podCIDR = given.get(name) ?? free(node)
    given.set(name, podCIDR)
    const { uid } = node.metadata
    const body = { metadata: { uid }, spec: { podCIDR, podCIDRs: [podCIDR] } }
    await client.patch(resources.nodes, { name }, { type: 'strategic', body })
  }

  /** The next free range after the last one given, so that a freed one rests for a while. */
  function free(node: core.Node): string {
    const taken = new Set(given.values())
    for (const { spec } of nodes.lister.list()) for (const cidr of spec.podCIDRs ?? []) taken.add(cidr)
    for (let tried = 0; tried < count; tried++) {
      const candidate = ip.formatCidr(ip.subnet(range, options.nodeCidrMaskSize, (next + tried) % count))
      if (taken.has(candidate)) continue
      next = (next + tried + 1) % count
      return candidate
    }
    recorder.normal(node, 'CIDRNotAvailable', `Node ${node.metadata.name} status is now: CIDRNotAvailable`)
    throw new Error('CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range')
  }

  return {
    async stop() {
      await controller.stop()
      await recorder.stop()
    },
  }
}
