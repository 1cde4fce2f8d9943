import type { core } from '../api/index.ts'

/** A pod as a test needs it; `spec` is laid over the plainest one. */
export const testPod = (name: string, spec: Partial<core.PodSpec> = {}): core.Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: { schedulerName: 'default-scheduler', containers: [testContainer()], ...spec },
    status: { phase: 'Pending' },
  }) as core.Pod

export const testContainer = (
  requests: Record<string, string> = {},
  more: Partial<core.Container> = {},
): core.Container => ({ name: 'main', image: 'busybox', resources: { requests }, ...more }) as core.Container

/** A node of 4 cores and 8 GiB, unless `status` or `spec` say otherwise. */
export const testNode = (
  name: string,
  spec: Partial<core.NodeSpec> = {},
  allocatable: Record<string, string> = { cpu: '4', memory: '8Gi', pods: '110' },
): core.Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    spec,
    status: { allocatable },
  }) as unknown as core.Node
