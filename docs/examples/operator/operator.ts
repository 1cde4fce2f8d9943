import {
  ApiException,
  AppsV1Api,
  CustomObjectsApi,
  type Informer,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1Deployment,
} from '@kubernetes/client-node'

/** What crd.yaml describes, in its version v1. */
export interface Site {
  apiVersion: 'example.com/v1'
  kind: 'Site'
  metadata: { name: string; namespace: string; uid: string; generation: number; deletionTimestamp?: string }
  spec: {
    image: { repository: string; tag: string }
    replicas: number
    tier: 'development' | 'production'
    host?: string
    port: number
  }
  status?: { observedGeneration: number; replicas: number; readyReplicas: number; conditions: Condition[] }
}

interface Condition {
  type: string
  status: string
  lastTransitionTime: string
  reason: string
  message: string
}

export const SITES = { group: 'example.com', version: 'v1', plural: 'sites' }
const LABEL = 'example.com/site'
const MANAGER = 'site-operator'
const RETRY = { first: 500, longest: 60_000 }

/**
 * Keeps a Deployment for every Site, and the Site's status true. Level-triggered: whatever happened, `reconcile` looks at
 * what is wanted and applies it. Deleting is left to the garbage collector, which follows the owner reference.
 */
export async function startOperator(config: KubeConfig): Promise<{ stop(): Promise<void> }> {
  const objects = KubernetesObjectApi.makeApiClient(config)
  const custom = config.makeApiClient(CustomObjectsApi)
  const apps = config.makeApiClient(AppsV1Api)
  const sites = makeInformer<Site & KubernetesObject>(config, '/apis/example.com/v1/sites', () =>
    custom.listClusterCustomObject(SITES),
  )
  const deployments = makeInformer(
    config,
    '/apis/apps/v1/deployments',
    () => apps.listDeploymentForAllNamespaces({ labelSelector: LABEL }),
    LABEL,
  )

  async function reconcile(namespace: string, name: string): Promise<void> {
    const site = sites.get(name, namespace)
    if (!site || site.metadata.deletionTimestamp) return
    const deployment = await objects.patch<V1Deployment>(
      deploymentOf(site),
      undefined,
      undefined,
      MANAGER,
      true,
      PatchStrategy.ServerSideApply,
    )
    await custom.patchNamespacedCustomObjectStatus(
      { ...SITES, namespace, name, fieldManager: MANAGER, body: { status: statusOf(site, deployment) } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
  }

  // One site at a time, each at most once in the line; what fails comes back later, and later still if it fails again.
  let stopped = false
  let line = Promise.resolve()
  const waiting = new Set<string>()
  const failures = new Map<string, number>()
  const timers = new Set<NodeJS.Timeout>()

  function after(delay: number, action: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      action()
    }, delay)
    timers.add(timer)
  }

  function enqueue(namespace = 'default', name = ''): void {
    const key = `${namespace}/${name}`
    if (stopped || waiting.has(key)) return
    waiting.add(key)
    line = line.then(async () => {
      waiting.delete(key)
      if (stopped) return
      try {
        await reconcile(namespace, name)
        failures.delete(key)
      } catch (error) {
        // The site went while it was looked at, and the informer will tell.
        if (error instanceof ApiException && error.code === 404) return void failures.delete(key)
        const count = failures.get(key) ?? 0
        failures.set(key, count + 1)
        console.error(`${key}: ${error}`)
        if (!stopped) after(Math.min(RETRY.first * 2 ** count, RETRY.longest), () => enqueue(namespace, name))
      }
    })
  }

  /** The client's informers end at the first error, such as a server that restarts: they are started again. */
  async function run<T extends KubernetesObject>(informer: Informer<T>, changed: (object: T) => void): Promise<void> {
    const start = () => informer.start().catch(failed)
    const failed = (error: unknown) => {
      if (stopped) return
      console.error(`watching: ${error}`)
      after(RETRY.first, start)
    }
    informer.on('change', changed)
    informer.on('error', failed)
    await start()
  }

  await run(sites, ({ metadata }) => enqueue(metadata.namespace, metadata.name))
  await run(deployments, ({ metadata }) => enqueue(metadata?.namespace, metadata?.labels?.[LABEL]))
  return {
    async stop() {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      await Promise.all([sites.stop(), deployments.stop(), line])
    },
  }
}

function deploymentOf({ apiVersion, kind, metadata, spec }: Site): V1Deployment {
  const { name, namespace, uid } = metadata
  const labels = { [LABEL]: name }
  const container = {
    name: 'site',
    image: `${spec.image.repository}:${spec.image.tag}`,
    ports: [{ containerPort: spec.port }],
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace,
      labels,
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      replicas: spec.replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  }
}

function statusOf({ metadata, spec, status }: Site, deployment: V1Deployment): Site['status'] {
  const { replicas = 0, readyReplicas = 0 } = deployment.status ?? {}
  const available = readyReplicas >= spec.replicas
  const before = status?.conditions.find(({ type }) => type === 'Available')
  const condition = {
    type: 'Available',
    status: available ? 'True' : 'False',
    reason: available ? 'AllReady' : 'Waiting',
    message: `${readyReplicas} of ${spec.replicas} replicas are ready`,
  }
  const lastTransitionTime =
    before?.status === condition.status ? before.lastTransitionTime : new Date().toISOString().replace(/\.\d+/, '')
  return {
    observedGeneration: metadata.generation,
    replicas,
    readyReplicas,
    conditions: [{ ...condition, lastTransitionTime }],
  }
}

if (import.meta.main) {
  const config = new KubeConfig()
  config.loadFromDefault()
  const operator = await startOperator(config)
  console.log('the operator runs')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void operator.stop())
}
