import { type core, findCondition, formatTime, is, resources } from '../api/index.ts'
import type { Clock, Logger } from '../base/index.ts'
import type { Client } from '../client/index.ts'

interface Tools {
  client: Client
  clock: Clock
  log: Logger
}

/** Sets the pod's PodScheduled condition to False, unless it says the same already. Never fails: it is said again next time. */
export async function reportUnscheduled(
  { client, clock, log }: Tools,
  pod: core.Pod,
  reason: string,
  message: string,
): Promise<void> {
  const { name, namespace, generation } = pod.metadata
  const present = findCondition(pod.status.conditions, 'PodScheduled')
  if (present?.status === 'False' && present.reason === reason && present.message === message) return
  const lastTransitionTime = present?.status === 'False' ? present.lastTransitionTime : formatTime(clock.now())
  const condition = {
    type: 'PodScheduled',
    ...(generation ? { observedGeneration: generation } : {}),
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime,
    reason,
    message,
  }
  const patch = { type: 'strategic' as const, body: { status: { conditions: [condition] } } }
  try {
    await client.patch(resources.pods, { namespace, name }, patch, { subresource: 'status' })
  } catch (error) {
    if (!is(error, 'NotFound'))
      log.warn({ pod: `${namespace}/${name}`, error: (error as Error).message }, 'could not report')
  }
}
