import { type apiregistration, is, type Resource, resources } from '../../api/index.ts'
import { create } from '../registry/create.ts'
import { remove } from '../registry/delete.ts'
import type { Live } from '../registry/live.ts'
import { ownCall, type Registry } from '../registry/registry.ts'

type APIService = apiregistration.APIService

/** Marks what this server keeps by itself: from its start on, or as long as a definition adds it. */
const MANAGED = 'kube-aggregator.kubernetes.io/automanaged'

/** The priorities of group and version. Source: k8s.io/kubernetes/pkg/controlplane/apiserver/aggregator.go */
const PRIORITIES: Record<string, [group: number, version: number]> = {
  '/v1': [18_000, 1],
  'apps/v1': [17_800, 15],
  'events.k8s.io/v1': [17_750, 15],
  'authentication.k8s.io/v1': [17_700, 15],
  'authorization.k8s.io/v1': [17_600, 15],
  'autoscaling/v1': [17_500, 15],
  'autoscaling/v2': [17_500, 30],
  'batch/v1': [17_400, 15],
  'certificates.k8s.io/v1': [17_300, 15],
  'networking.k8s.io/v1': [17_200, 15],
  'policy/v1': [17_100, 15],
  'rbac.authorization.k8s.io/v1': [17_000, 15],
  'storage.k8s.io/v1': [16_800, 15],
  'admissionregistration.k8s.io/v1': [16_700, 15],
  'apiextensions.k8s.io/v1': [16_700, 15],
  'scheduling.k8s.io/v1': [16_600, 15],
  'coordination.k8s.io/v1': [16_500, 15],
  'node.k8s.io/v1': [16_300, 15],
  'discovery.k8s.io/v1': [16_200, 15],
  'flowcontrol.apiserver.k8s.io/v1': [16_100, 21],
  'resource.k8s.io/v1': [16_200, 21],
}

/** Those of what definitions add. Source: k8s.io/kubernetes/pkg/controlplane/controller/crdregistration */
const ADDED: [number, number] = [1000, 100]

/** Serves itself and needs no entry. */
const SELF = 'apiregistration.k8s.io'

/**
 * Keeps an APIService for every group version that this server serves itself, so that `kubectl get apiservices` shows all
 * there is. One that somebody has pointed at a Service of his own is left alone.
 */
export async function registerLocal(registry: Registry, present: Live<APIService>): Promise<void> {
  const served = new Map(registry.resources.all().map(resource => [nameOf(resource), resource]))
  const missing = [...served].filter(([name, { group }]) => group !== SELF && !has(present, name))
  const left = present.objects.filter(({ metadata, spec }) => {
    return metadata.labels?.[MANAGED] && !spec.service && !served.has(metadata.name)
  })
  await Promise.all([
    ...missing.map(([name, resource]) => add(registry, name, resource)),
    ...left.map(({ metadata }) => drop(registry, metadata.name)),
  ])
}

const nameOf = ({ group, version }: Resource) => `${version}.${group}`

const has = ({ objects }: Live<APIService>, name: string) => objects.some(({ metadata }) => metadata.name === name)

async function add(registry: Registry, name: string, { group, version }: Resource): Promise<void> {
  const known = PRIORITIES[`${group}/${version}`]
  const [groupPriorityMinimum, versionPriority] = known ?? ADDED
  const served = registry.served(resources.apiServices)
  const { object } = served.codec.decode({
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name, labels: { [MANAGED]: known ? 'onstart' : 'true' } },
    spec: { group, version, groupPriorityMinimum, versionPriority },
  })
  object.kind = 'APIService'
  object.apiVersion = 'apiregistration.k8s.io/v1'
  try {
    await create(registry, ownCall(served as never, ''), object)
  } catch (error) {
    if (!is(error, 'AlreadyExists')) throw error
  }
}

async function drop(registry: Registry, name: string): Promise<void> {
  const served = registry.served(resources.apiServices)
  try {
    await remove(registry, ownCall(served as never, '', name), { kind: 'DeleteOptions', apiVersion: 'v1' })
  } catch (error) {
    if (!is(error, 'NotFound')) throw error
  }
}
