import { type core, type KubeObject, type Resource, resources } from '../../../api/index.ts'
import { ownCall, type Registry } from '../../registry/registry.ts'
import { update } from '../../registry/update.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'
import type { ByNamespace } from '../by-namespace.ts'
import { type Account, charge, mayCharge } from './charge.ts'

/** How often quotas are read and written anew when somebody else changes them meanwhile. */
const ATTEMPTS = 10

/** One write that waits to hear whether there is room for it. */
interface Request {
  attributes: Attributes
  admit(): void
  refuse(error: unknown): void
}

/**
 * Nothing is made of which a quota of its namespace has no more. What is let through is noted in the quota's status before
 * it is written, by compare and set, so that any number of servers and requests together never take too much. Who
 * comes while a namespace's quotas are being written waits, and is then judged with all others who wait.
 * Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function resourceQuota(
  registry: Registry,
  quotas: Pick<ByNamespace<core.ResourceQuota>, 'of'>,
): AdmissionPlugin {
  /** By namespace; one that is being worked on has an entry. */
  const waiting = new Map<string, Request[]>()

  async function work(namespace: string): Promise<void> {
    for (let batch = waiting.get(namespace); batch?.length; batch = waiting.get(namespace)) {
      waiting.set(namespace, [])
      await settle(registry, namespace, quotas.of(namespace), batch)
    }
    waiting.delete(namespace)
  }

  return {
    name: 'ResourceQuota',
    validate(attributes) {
      const { namespace, resource } = attributes
      if (!resource.namespaced || !quotas.of(namespace).length || !mayCharge(attributes)) return
      return new Promise((admit, refuse) => {
        const request = { attributes, admit, refuse }
        const others = waiting.get(namespace)
        if (others) return void others.push(request)
        waiting.set(namespace, [request])
        void work(namespace)
      })
    },
  }
}

/** Judges all requests in their order, and writes what they use together. Never rejects. */
async function settle(
  registry: Registry,
  namespace: string,
  quotas: readonly core.ResourceQuota[],
  requests: Request[],
): Promise<void> {
  let names = quotas.map(({ metadata }) => metadata.name)
  let failure: unknown
  for (let attempt = 1; requests.length && attempt <= ATTEMPTS; attempt++) {
    try {
      const accounts = await open(registry, namespace, names)
      const before = accounts.map(({ used }) => used)
      requests = requests.filter(request => !decide(accounts, request, registry.clock.now()))
      const changed = accounts.filter(({ used }, index) => used !== before[index])
      const writes = await Promise.allSettled(changed.map(account => write(registry, account)))
      // Of those that are written no more is asked; the others are read again.
      names = changed.filter((_, index) => writes[index]!.status === 'rejected').map(({ quota }) => quota.metadata.name)
      failure = writes.find(write => write.status === 'rejected')?.reason
      if (!names.length) for (const { admit } of requests.splice(0)) admit()
    } catch (error) {
      failure = error
    }
  }
  for (const { refuse } of requests) refuse(failure)
}

/** The quotas as they are now, whatever has been heard of them so far. */
async function open({ reader }: Registry, namespace: string, names: string[]): Promise<Account[]> {
  const found = await Promise.all(names.map(name => reader.read(resources.resourceQuotas, namespace, name)))
  return found.flatMap(quota => (quota ? { quota, used: quota.status.used ?? {} } : []))
}

/** Whether the request's answer is given already, for it is refused or takes nothing that has to be written. */
function decide(accounts: Account[], { attributes, admit, refuse }: Request, now: number): boolean {
  try {
    const totals = charge(accounts, attributes, now)
    const free = attributes.dryRun || totals.every((total, index) => total === accounts[index]!.used)
    if (free) admit()
    else for (const [index, account] of accounts.entries()) account.used = totals[index]!
    return free
  } catch (error) {
    refuse(error)
    return true
  }
}

async function write(registry: Registry, { quota, used }: Account): Promise<void> {
  const { namespace = '', name, resourceVersion } = quota.metadata
  const served = registry.served(resources.resourceQuotas as Resource)
  const call = { ...ownCall(served, namespace, name), subresource: 'status', admitted: true, trusted: true }
  const charged = (present: KubeObject): KubeObject => {
    const { metadata } = present
    return { ...present, metadata: { ...metadata, resourceVersion }, status: { ...quota.status, used } } as KubeObject
  }
  await update(registry, call, charged)
}
