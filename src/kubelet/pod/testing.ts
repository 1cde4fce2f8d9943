/** Builders for the unit tests of this folder. */
import type { core } from '../../api/index.ts'
import { containerHash } from './spec.ts'
import type { PodState, RunContainer } from './state.ts'

export const container = (name: string, more: Partial<core.Container> = {}): core.Container => ({
  name,
  image: 'web:1',
  resources: {},
  ...more,
})

export const pod = (spec: Partial<core.PodSpec> = {}, status: core.PodStatus = {}): core.Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u1',
    resourceVersion: '1',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { app: 'web' },
  },
  spec: { containers: [container('main')], nodeName: 'n1', ...spec },
  status,
})

export const run = (name: string, more: Partial<RunContainer> = {}): RunContainer => ({
  id: `${name}-id`,
  name,
  hash: containerHash(container(name)),
  restartCount: 0,
  sandboxId: 's1',
  state: 'running',
  createdAt: 1000,
  startedAt: 2000,
  finishedAt: 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: 'web:1',
  imageRef: 'sha256:abc',
  labels: {},
  annotations: {},
  mounts: [],
  logPath: '',
  ...more,
})

export const exited = (name: string, exitCode: number, more: Partial<RunContainer> = {}): RunContainer =>
  run(name, { state: 'exited', exitCode, finishedAt: 3000, reason: exitCode === 0 ? 'Completed' : 'Error', ...more })

const sandbox = {
  id: 's1',
  metadata: { name: 'web', namespace: 'shop', uid: 'u1', attempt: 0 },
  ready: true,
  createdAt: 500,
  labels: {},
  annotations: {},
}

export const state = (...containers: RunContainer[]): PodState => ({
  sandboxes: [sandbox],
  sandbox: { ...sandbox, ips: ['10.1.0.7'], hostNetwork: false },
  containers,
})

export const nothing: PodState = { sandboxes: [], sandbox: undefined, containers: [] }
