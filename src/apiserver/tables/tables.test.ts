import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type KubeObject, type Resource, resources } from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { columnsFor, humanDuration } from './index.ts'

const NOW = Date.parse('2026-01-10T00:00:00Z')
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

/** The cells of an object by the names of their columns. */
function cells(resource: unknown, draft: object): Record<string, unknown> {
  const { group, version, kind } = resource as Resource
  const apiVersion = group ? `${group}/${version}` : version
  const { metadata, ...rest } = draft as { metadata?: object }
  const named = { name: 'web', namespace: 'default', creationTimestamp: ago(90), ...metadata }
  const { object } = codecFor(resource as Resource<KubeObject>).decode({ apiVersion, kind, metadata: named, ...rest })
  return Object.fromEntries(columnsFor(resource as Resource).map(column => [column.name, column.cell(object, NOW)]))
}

describe('durations', () => {
  const MINUTE = 60
  const HOUR = 60 * MINUTE
  const DAY = 24 * HOUR
  const YEAR = 365 * DAY
  const durations: [seconds: number, text: string][] = [
    [-2, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [2 * MINUTE, '2m'],
    [5 * MINUTE + 30, '5m30s'],
    [10 * MINUTE + 30, '10m'],
    [179 * MINUTE, '179m'],
    [3 * HOUR, '3h'],
    [3 * HOUR + 20 * MINUTE, '3h20m'],
    [8 * HOUR + 20 * MINUTE, '8h'],
    [47 * HOUR, '47h'],
    [2 * DAY, '2d'],
    [2 * DAY + 3 * HOUR, '2d3h'],
    [8 * DAY + 3 * HOUR, '8d'],
    [400 * DAY, '400d'],
    [2 * YEAR, '2y'],
    [2 * YEAR + 5 * DAY, '2y5d'],
    [9 * YEAR, '9y'],
  ]
  for (const [seconds, text] of durations) {
    test(`${seconds} s is ${text}`, () => assert.equal(humanDuration(seconds * 1000), text))
  }
})

describe('the status of a pod', () => {
  const running = { state: { running: {} }, ready: true, name: 'a', restartCount: 0 }
  const waiting = (reason: string, restartCount = 0) => ({ name: 'a', state: { waiting: { reason } }, restartCount })
  const ended = (terminated: object) => ({ name: 'a', state: { terminated }, restartCount: 0 })
  const spec = { containers: [{ name: 'a' }] }
  const two = { containers: [{ name: 'a' }, { name: 'b' }] }
  const init = { ...spec, initContainers: [{ name: 'i' }, { name: 'j' }] }
  const sidecar = { ...spec, initContainers: [{ name: 'i', restartPolicy: 'Always' }] }
  const initialized = { type: 'Initialized', status: 'True' }

  const cases: [title: string, pod: object, ready: string, status: string, restarts?: string][] = [
    ['not scheduled', { spec, status: { phase: 'Pending' } }, '0/1', 'Pending'],
    [
      'gated',
      {
        spec,
        status: {
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
        },
      },
      '0/1',
      'SchedulingGated',
    ],
    [
      'being made',
      { spec, status: { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] } },
      '0/1',
      'ContainerCreating',
    ],
    ['running', { spec, status: { phase: 'Running', containerStatuses: [running] } }, '1/1', 'Running'],
    [
      'crashing',
      {
        spec,
        status: {
          phase: 'Running',
          containerStatuses: [
            { ...waiting('CrashLoopBackOff', 3), lastState: { terminated: { finishedAt: ago(330) } } },
          ],
        },
      },
      '0/1',
      'CrashLoopBackOff',
      '3 (5m30s ago)',
    ],
    [
      'ended well',
      { spec, status: { phase: 'Succeeded', containerStatuses: [ended({ reason: 'Completed' })] } },
      '0/1',
      'Completed',
    ],
    [
      'ended badly',
      { spec, status: { phase: 'Failed', containerStatuses: [ended({ reason: 'Error', exitCode: 1 })] } },
      '0/1',
      'Error',
    ],
    [
      'killed',
      { spec, status: { phase: 'Failed', containerStatuses: [ended({ signal: 9, exitCode: 137 })] } },
      '0/1',
      'Signal:9',
    ],
    [
      'without a reason',
      { spec, status: { phase: 'Failed', containerStatuses: [ended({ exitCode: 2 })] } },
      '0/1',
      'ExitCode:2',
    ],
    ['evicted', { spec, status: { phase: 'Failed', reason: 'Evicted' } }, '0/1', 'Evicted'],
    [
      'going away',
      { metadata: { deletionTimestamp: ago(1) }, spec, status: { phase: 'Running', containerStatuses: [running] } },
      '1/1',
      'Terminating',
    ],
    [
      'going away after its end',
      {
        metadata: { deletionTimestamp: ago(1) },
        spec,
        status: { phase: 'Succeeded', containerStatuses: [ended({ reason: 'Completed' })] },
      },
      '0/1',
      'Completed',
    ],
    [
      'on a lost node',
      { metadata: { deletionTimestamp: ago(1) }, spec, status: { phase: 'Running', reason: 'NodeLost' } },
      '0/1',
      'Unknown',
    ],
    [
      'one of two ended',
      {
        spec: two,
        status: { phase: 'Running', containerStatuses: [ended({ reason: 'Completed' }), { ...running, name: 'b' }] },
      },
      '1/2',
      'NotReady',
    ],
    [
      'in its second init container',
      {
        spec: init,
        status: {
          phase: 'Pending',
          initContainerStatuses: [ended({ exitCode: 0 }), waiting('PodInitializing')],
          containerStatuses: [waiting('PodInitializing')],
        },
      },
      '0/1',
      'Init:1/2',
    ],
    [
      'failing to initialize',
      { spec: init, status: { phase: 'Pending', initContainerStatuses: [waiting('CrashLoopBackOff', 2)] } },
      '0/1',
      'Init:CrashLoopBackOff',
      '2',
    ],
    [
      'failed to initialize',
      { spec: init, status: { phase: 'Failed', initContainerStatuses: [ended({ exitCode: 3 })] } },
      '0/1',
      'Init:ExitCode:3',
    ],
    [
      'initialized',
      {
        spec: init,
        status: {
          phase: 'Running',
          conditions: [initialized],
          initContainerStatuses: [{ ...ended({ exitCode: 0 }), restartCount: 4 }],
          containerStatuses: [running],
        },
      },
      '1/1',
      'Running',
      '0',
    ],
    [
      'with a sidecar',
      {
        spec: sidecar,
        status: {
          phase: 'Running',
          initContainerStatuses: [{ ...running, name: 'i', started: true, restartCount: 1 }],
          containerStatuses: [running],
        },
      },
      '2/2',
      'Running',
      '1',
    ],
  ]
  for (const [title, pod, ready, status, restarts = '0'] of cases) {
    test(title, () => {
      const row = cells(resources.pods, pod)
      assert.deepEqual([row.Ready, row.Status, row.Restarts], [ready, status, restarts])
    })
  }
})

test('the columns of pods', () => {
  const columns = columnsFor(resources.pods)
  assert.deepEqual(
    columns.map(({ name, type, format, priority }) => [name, type, format, priority]),
    [
      ['Name', 'string', 'name', 0],
      ['Ready', 'string', undefined, 0],
      ['Status', 'string', undefined, 0],
      ['Restarts', 'string', undefined, 0],
      ['Age', 'string', undefined, 0],
      ['IP', 'string', undefined, 1],
      ['Node', 'string', undefined, 1],
      ['Nominated Node', 'string', undefined, 1],
      ['Readiness Gates', 'string', undefined, 1],
    ],
  )
})

describe('rows', () => {
  const template = {
    spec: {
      containers: [
        { name: 'a', image: 'x:1' },
        { name: 'b', image: 'y:2' },
      ],
    },
  }
  const selector = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['y', 'x'] }] }
  const cases: [title: string, resource: unknown, draft: object, expected: object][] = [
    [
      'Deployment',
      resources.deployments,
      {
        spec: { replicas: 3, selector, template },
        status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
      },
      {
        Name: 'web',
        Ready: '2/3',
        'Up-to-date': 3,
        Available: 1,
        Age: '90s',
        Containers: 'a,b',
        Images: 'x:1,y:2',
        Selector: 'a in (x,y),app=web',
      },
    ],
    [
      'Service',
      resources.services,
      {
        spec: {
          type: 'NodePort',
          clusterIP: '10.96.0.5',
          clusterIPs: ['10.96.0.5'],
          ports: [
            { port: 80, nodePort: 30080, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ],
        },
      },
      {
        Name: 'web',
        Type: 'NodePort',
        'Cluster-IP': '10.96.0.5',
        'External-IP': '<none>',
        'Port(s)': '80:30080/TCP,53/UDP',
        Age: '90s',
        Selector: '<none>',
      },
    ],
    [
      'Service of type LoadBalancer',
      resources.services,
      { spec: { type: 'LoadBalancer', clusterIP: '10.96.0.5' } },
      {
        Name: 'web',
        Type: 'LoadBalancer',
        'Cluster-IP': '10.96.0.5',
        'External-IP': '<pending>',
        'Port(s)': '<none>',
        Age: '90s',
        Selector: '<none>',
      },
    ],
    [
      'Endpoints',
      resources.endpoints,
      { subsets: [{ addresses: ['1', '2', '3', '4'].map(n => ({ ip: `10.0.0.${n}` })), ports: [{ port: 80 }] }] },
      { Name: 'web', Endpoints: '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...', Age: '90s' },
    ],
    [
      'EndpointSlice',
      resources.endpointSlices,
      { addressType: 'IPv4' },
      { Name: 'web', AddressType: 'IPv4', Ports: '<unset>', Endpoints: '<unset>', Age: '90s' },
    ],
    [
      'Node',
      resources.nodes,
      {
        metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
          nodeInfo: {
            kubeletVersion: 'v1.36.0',
            osImage: 'Debian',
            kernelVersion: '6.1',
            containerRuntimeVersion: 'containerd://2',
          },
        },
      },
      {
        Name: 'web',
        Status: 'Ready,SchedulingDisabled',
        Roles: 'control-plane',
        Age: '90s',
        Version: 'v1.36.0',
        'Internal-IP': '10.0.0.1',
        'External-IP': '<none>',
        'OS-Image': 'Debian',
        'Kernel-Version': '6.1',
        'Container-Runtime': 'containerd://2',
      },
    ],
    [
      'Event',
      resources.events,
      {
        involvedObject: { kind: 'Pod', name: 'web-1', fieldPath: 'spec.containers{a}' },
        reason: 'Pulled',
        message: 'done\n',
        type: 'Normal',
        count: 2,
        firstTimestamp: ago(100),
        lastTimestamp: ago(5),
        source: { component: 'kubelet', host: 'n1' },
      },
      {
        'Last Seen': '5s',
        Type: 'Normal',
        Reason: 'Pulled',
        Object: 'pod/web-1',
        Subobject: 'spec.containers{a}',
        Source: 'kubelet, n1',
        Message: 'done',
        'First Seen': '100s',
        Count: 2,
        Name: 'web',
      },
    ],
    [
      'Event of the newer kind',
      resources.eventsV1,
      {
        regarding: { kind: 'Pod', name: 'web-1' },
        reason: 'Scheduled',
        note: 'fine',
        type: 'Normal',
        eventTime: ago(7),
        reportingController: 'default-scheduler',
        reportingInstance: 's-1',
      },
      {
        'Last Seen': '7s',
        Type: 'Normal',
        Reason: 'Scheduled',
        Object: 'pod/web-1',
        Subobject: '',
        Source: 'default-scheduler, s-1',
        Message: 'fine',
        'First Seen': '7s',
        Count: 1,
        Name: 'web',
      },
    ],
    [
      'Job',
      resources.jobs,
      {
        spec: { completions: 3, template },
        status: {
          succeeded: 3,
          startTime: ago(100),
          completionTime: ago(40),
          conditions: [{ type: 'Complete', status: 'True' }],
        },
      },
      {
        Name: 'web',
        Status: 'Complete',
        Completions: '3/3',
        Duration: '60s',
        Age: '90s',
        Containers: 'a,b',
        Images: 'x:1,y:2',
        Selector: '<none>',
      },
    ],
    [
      'ConfigMap',
      resources.configMaps,
      { data: { a: '1' }, binaryData: { b: '' } },
      { Name: 'web', Data: 2, Age: '90s' },
    ],
    ['Role, without columns of its own', resources.roles, {}, { Name: 'web', 'Created At': '2026-01-09T23:58:30Z' }],
    [
      'PersistentVolumeClaim',
      resources.persistentVolumeClaims,
      {
        spec: { volumeName: 'pv', storageClassName: 'fast', volumeMode: 'Filesystem' },
        status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'] },
      },
      {
        Name: 'web',
        Status: 'Bound',
        Volume: 'pv',
        Capacity: '1Gi',
        'Access Modes': 'RWO,RWX',
        StorageClass: 'fast',
        VolumeAttributesClass: '<unset>',
        Age: '90s',
        VolumeMode: 'Filesystem',
      },
    ],
    [
      'HorizontalPodAutoscaler',
      resources.horizontalPodAutoscalers,
      {
        spec: {
          scaleTargetRef: { kind: 'Deployment', name: 'web' },
          minReplicas: 1,
          maxReplicas: 5,
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
          ],
        },
        status: { currentReplicas: 2 },
      },
      {
        Name: 'web',
        Reference: 'Deployment/web',
        Targets: 'cpu: <unknown>/80%',
        MinPods: '1',
        MaxPods: '5',
        Replicas: '2',
        Age: '90s',
      },
    ],
    [
      'RoleBinding',
      resources.roleBindings,
      {
        roleRef: { kind: 'ClusterRole', name: 'view' },
        subjects: [
          { kind: 'User', name: 'jane' },
          { kind: 'ServiceAccount', name: 'a', namespace: 'b' },
        ],
      },
      { Name: 'web', Role: 'ClusterRole/view', Age: '90s', Users: 'jane', Groups: '', ServiceAccounts: 'b/a' },
    ],
  ]
  for (const [title, resource, draft, expected] of cases) {
    test(title, () => assert.deepEqual(cells(resource, draft), expected))
  }
})
