import { type core, formatMicroTime, is, resources } from '../../api/index.ts'
import type { Clock, Component, Logger } from '../../base/index.ts'
import type { Client } from '../../client/index.ts'

export interface NodeLeaseOptions {
  client: Client
  node: core.Node
  durationSeconds: number
  clock: Clock
  log: Logger
}

const NAMESPACE = 'kube-node-lease'
/** Of the lease's duration. */
const RENEW = 0.25
const RETRY = { first: 200, most: 7_000 }

/** Says, a few times a minute and cheaply, that the node lives. Source: KEP-0009 Node Heartbeat */
export function startNodeLease({ client, node, durationSeconds, clock, log }: NodeLeaseOptions): Component {
  const stopping = new AbortController()
  const { signal } = stopping
  const { name, uid } = node.metadata
  const ref = { namespace: NAMESPACE, name }

  async function renew(): Promise<void> {
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: durationSeconds,
      renewTime: formatMicroTime(clock.now()),
    }
    try {
      await client.patch(resources.leases, ref, { type: 'merge', body: { spec } })
    } catch (error) {
      if (!is(error, 'NotFound')) throw error
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }]
      await client.create(resources.leases, { metadata: { ...ref, ownerReferences }, spec })
    }
  }

  async function run(): Promise<void> {
    let retry = RETRY.first
    while (!signal.aborted) {
      let wait = durationSeconds * 1000 * RENEW
      try {
        await renew()
        retry = RETRY.first
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'could not renew the lease of the node')
        wait = retry
        retry = Math.min(retry * 2, RETRY.most)
      }
      await clock.sleep(wait, signal).catch(() => {})
    }
  }

  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
