import { type flowcontrol, formatTime, resources } from '../api/index.ts'
import { ensure } from './bootstrap.ts'
import type { Registry } from './registry/registry.ts'

/**
 * How requests are told apart and served in times of need, as every cluster has it from its first moment.
 * Source: k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap
 */

const ANNOTATIONS = { 'apf.kubernetes.io/autoupdate-spec': 'true' }

type Level = flowcontrol.PriorityLevelConfigurationSpec

const limited = (nominalConcurrencyShares: number, lendablePercent: number, limitResponse: object): Level =>
  ({ type: 'Limited', limited: { nominalConcurrencyShares, lendablePercent, limitResponse } }) as Level

const queues = (queues: number, handSize = 6) => ({
  type: 'Queue',
  queuing: { queues, handSize, queueLengthLimit: 50 },
})

const LEVELS: Record<string, Level> = {
  'catch-all': limited(5, 0, { type: 'Reject' }),
  exempt: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  'global-default': limited(20, 50, queues(128)),
  'leader-election': limited(10, 0, queues(16, 4)),
  'node-high': limited(40, 25, queues(64)),
  system: limited(30, 33, queues(64)),
  'workload-high': limited(40, 50, queues(128)),
  'workload-low': limited(100, 90, queues(128)),
}

const group = (name: string) => ({ kind: 'Group', group: { name } })
const user = (name: string) => ({ kind: 'User', user: { name } })
const ALL = ['*']
const ALL_RESOURCES = { verbs: ALL, apiGroups: ALL, resources: ALL, clusterScope: true, namespaces: ALL }
const ALL_PATHS = { verbs: ALL, nonResourceURLs: ALL }
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')]
const SYSTEM_ACCOUNTS = { kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name: '*' } }
const NODES = group('system:nodes')
const MANAGER = user('system:kube-controller-manager')
const SCHEDULER = user('system:kube-scheduler')
const leases = (...verbs: string[]) => ({
  verbs,
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  namespaces: ALL,
})

interface Flow {
  level: string
  precedence: number
  by?: 'User' | 'Namespace'
  subjects: object[]
  /** Absent: any request. */
  of?: { resourceRules?: object[]; nonResourceRules?: object[] }
}

const FLOWS: Record<string, Flow> = {
  'catch-all': { level: 'catch-all', precedence: 10_000, by: 'User', subjects: EVERYBODY },
  exempt: { level: 'exempt', precedence: 1, subjects: [group('system:masters')] },
  'global-default': { level: 'global-default', precedence: 9900, by: 'User', subjects: EVERYBODY },
  'kube-controller-manager': { level: 'workload-high', precedence: 800, by: 'Namespace', subjects: [MANAGER] },
  'kube-scheduler': { level: 'workload-high', precedence: 800, by: 'Namespace', subjects: [SCHEDULER] },
  'kube-system-service-accounts': {
    level: 'workload-high',
    precedence: 900,
    by: 'Namespace',
    subjects: [SYSTEM_ACCOUNTS],
  },
  probes: {
    level: 'exempt',
    precedence: 2,
    subjects: EVERYBODY,
    of: { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  },
  'service-accounts': {
    level: 'workload-low',
    precedence: 9000,
    by: 'User',
    subjects: [group('system:serviceaccounts')],
  },
  'system-leader-election': {
    level: 'leader-election',
    precedence: 100,
    by: 'User',
    subjects: [MANAGER, SCHEDULER, SYSTEM_ACCOUNTS],
    of: { resourceRules: [leases('get', 'create', 'update')] },
  },
  'system-node-high': {
    level: 'node-high',
    precedence: 400,
    by: 'User',
    subjects: [NODES],
    of: {
      resourceRules: [{ ...ALL_RESOURCES, apiGroups: [''], resources: ['nodes', 'nodes/status'] }, leases('*')],
    },
  },
  'system-nodes': { level: 'system', precedence: 500, by: 'User', subjects: [NODES] },
}

function specOf({ level, precedence, by, subjects, of }: Flow): flowcontrol.FlowSchemaSpec {
  const rules = of ?? { resourceRules: [ALL_RESOURCES], nonResourceRules: [ALL_PATHS] }
  return {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: precedence,
    ...(by ? { distinguisherMethod: { type: `By${by}` } } : {}),
    rules: [{ subjects, ...rules }] as flowcontrol.PolicyRulesWithSubjects[],
  }
}

const found = (level: string, lastTransitionTime: string) => ({
  type: 'Dangling',
  status: 'False',
  reason: 'Found',
  message: `This FlowSchema references the PriorityLevelConfiguration object named "${level}" and it exists`,
  lastTransitionTime,
})

/** Makes what is not there; what somebody has changed stays so. */
export async function ensureFlowControl(registry: Registry): Promise<void> {
  await Promise.all([
    ...Object.entries(LEVELS).map(([name, spec]) =>
      ensure(registry, resources.priorityLevelConfigurations, { metadata: { name, annotations: ANNOTATIONS }, spec }),
    ),
    ...Object.entries(FLOWS).map(([name, flow]) =>
      ensure(registry, resources.flowSchemas, {
        metadata: { name, annotations: ANNOTATIONS },
        spec: specOf(flow),
        status: { conditions: [found(flow.level, formatTime(registry.clock.now()))] },
      }),
    ),
  ])
}
