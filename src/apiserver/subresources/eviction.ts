import { type core, errors, isPodActive, LabelSelector, type policy, resources, StatusError } from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { decodeBody, fieldValidation } from '../pipeline/decode.ts'
import { json } from '../pipeline/respond.ts'
import { checkDeleteOptions, remove } from '../registry/delete.ts'
import { get } from '../registry/get.ts'
import { receive } from '../registry/receive.ts'
import { type Call, ownCall, type Registry } from '../registry/registry.ts'
import { decodeEntry, servePart } from '../registry/served.ts'
import { update } from '../registry/update.ts'
import type { Verb } from '../registry/verbs.ts'
import { chooseView } from '../views/choose.ts'

const EVICTION = { group: 'policy', version: 'v1', kind: 'Eviction', type: 'policy/v1.Eviction' }

/**
 * Deletes a pod, if its disruption budget lets it go.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
export const evictPod: Verb = async (registry, call, context) => {
  const { query, request, warnings } = context
  chooseView(registry, context, { ...call, shown: servePart(EVICTION, 'create') })
  const validation = fieldValidation(query, 'CreateOptions')
  const codec = codecFor<policy.Eviction>('policy/v1.Eviction')
  const type = request.headers['content-type']
  const eviction = await decodeBody(await context.body(), type, EVICTION, codec, validation, warnings)
  if (eviction.metadata.name !== call.name)
    throw errors.badRequest('name in URL does not match name in Eviction object')
  const attributes = await receive(registry, call, EVICTION, eviction)
  const options = eviction.deleteOptions ?? { kind: '', apiVersion: '' }
  if (call.dryRun && !options.dryRun?.length) options.dryRun = ['All']
  // It may be asked for in the query or in the body.
  const dryRun = !!options.dryRun?.length
  await registry.admission.validate(attributes)
  checkDeleteOptions(options)
  const pod = decodeEntry<core.Pod>(await get(registry, call))
  if (!ignoresBudgets(pod)) await spend(registry, { ...call, dryRun }, pod)
  await remove(registry, { ...call, dryRun, subresource: '', admitted: true }, options)
  return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

/** What runs no more, not yet or is going anyway disrupts nobody. */
const ignoresBudgets = (pod: core.Pod): boolean => !isPodActive(pod) || pod.status.phase === 'Pending'

/** Takes one disruption from the pod's budget, so that two evictions at once cannot both use the last. */
async function spend(registry: Registry, { namespace, name, dryRun }: Call, pod: core.Pod): Promise<void> {
  const budgets = (await registry.reader.list(resources.podDisruptionBudgets, namespace)).filter(({ spec }) =>
    LabelSelector.of(spec.selector).matches(pod.metadata.labels),
  )
  if (!budgets.length) return
  if (budgets.length > 1)
    throw errors.bare(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  if (isLost(pod, budgets[0]!)) return
  const budget = budgets[0]!.metadata.name
  const call = {
    ...ownCall(registry.served(resources.podDisruptionBudgets as never), namespace, budget),
    subresource: 'status',
    dryRun,
  }
  const now = new Date(registry.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  const take = (old: unknown) => {
    const found = old as policy.PodDisruptionBudget
    const { status } = found
    if ((status.observedGeneration ?? 0) < (found.metadata.generation ?? 0))
      throw refused(budget, 'The disruption budget %B is still being processed by the server.', 10)
    if (status.disruptionsAllowed <= 0)
      throw refused(
        budget,
        `The disruption budget %B needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
      )
    status.disruptionsAllowed--
    status.disruptedPods = { ...status.disruptedPods, [name]: now }
    return found
  }
  await update(registry, call, take, { relative: true })
}

/**
 * Who is not ready serves nobody, and may go if the budget says so.
 * Source: https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy
 */
function isLost({ status: { conditions } }: core.Pod, { spec, status }: policy.PodDisruptionBudget): boolean {
  if (conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return false
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0
}

/** 429, with the budget that refuses among the causes. */
const refused = (budget: string, message: string, retryAfterSeconds?: number): StatusError =>
  new StatusError({
    status: 'Failure',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    reason: 'TooManyRequests',
    details: {
      causes: [{ reason: 'DisruptionBudget', message: message.replace('%B', budget) }],
      ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
    },
    code: 429,
  })
