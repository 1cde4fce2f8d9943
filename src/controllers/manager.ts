import { hostname } from 'node:os'
import type { Clock, Component, Logger, Random } from '../base/index.ts'
import { type Client, Informers, LeaderElector } from '../client/index.ts'
import { startClusterRoleAggregationController } from './clusterrole-aggregation.ts'
import type { Context } from './context.ts'
import { startDeploymentController } from './deployment/index.ts'
import { startEndpointsController } from './endpoints.ts'
import { startEndpointSliceController } from './endpointslice/index.ts'
import { startGarbageCollector } from './garbage-collector/index.ts'
import { startNamespaceController } from './namespace.ts'
import { startNodeIpamController } from './node-ipam.ts'
import { startNodeLifecycleController } from './node-lifecycle/index.ts'
import { startPodGarbageCollector } from './pod-gc.ts'
import { startReplicaSetController, startReplicationController } from './replicaset.ts'
import { startResourceQuotaController } from './resource-quota.ts'
import { startRootCaPublisher } from './root-ca.ts'
import { startServiceAccountController } from './serviceaccount.ts'
import { startStorageProtection } from './storage-protection.ts'
import { startTaintEvictionController } from './taint-eviction.ts'

export interface ControllerManagerOptions {
  client: Client
  /** The pods' addresses: `10.244.0.0/16`. Without it nodes get none from here. */
  clusterCidr?: string
  /** The prefix length of a node's part of them. Default: 24 */
  nodeCidrMaskSize?: number
  /** PEM of the authority that pods trust the API server by. Without it none is published. */
  rootCa?: string
  /** Act only while holding the Lease kube-system/kube-controller-manager. Default: false */
  leaderElect?: boolean
  clock: Clock
  random: Random
  log: Logger
}

/**
 * Runs every controller on one set of informers.
 * Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
 */
export async function startControllerManager(options: ControllerManagerOptions): Promise<Component> {
  if (!options.leaderElect) return startControllers(options)
  const { client, clock, random, log } = options
  let running: Component | undefined
  const elector = new LeaderElector({
    client,
    namespace: 'kube-system',
    name: 'kube-controller-manager',
    identity: `${hostname()}_${random.uuid()}`,
    clock,
    random,
    log,
    lead: () => {
      running = startControllers(options)
    },
    lost: async () => {
      await running?.stop()
      running = undefined
    },
  })
  return { stop: () => elector.stop() }
}

function startControllers(options: ControllerManagerOptions): Component {
  const { client, clock, random, log, clusterCidr, nodeCidrMaskSize = 24, rootCa } = options
  const informers = new Informers(client, { clock, random, log })
  const context: Context = { client, informers, clock, random, log }
  const controllers: Component[] = [
    startServiceAccountController(context),
    startNamespaceController(context),
    startDeploymentController(context),
    startReplicaSetController(context),
    startReplicationController(context),
    startEndpointSliceController(context),
    startEndpointsController(context),
    startNodeLifecycleController(context),
    startTaintEvictionController(context),
    startPodGarbageCollector(context),
    startClusterRoleAggregationController(context),
    startStorageProtection(context),
    startResourceQuotaController(context),
    // Last, so that it finds whole objects where another controller has them already.
    startGarbageCollector(context),
  ]
  if (rootCa) controllers.push(startRootCaPublisher(context, rootCa))
  if (clusterCidr) controllers.push(startNodeIpamController(context, { clusterCidr, nodeCidrMaskSize }))
  return {
    async stop() {
      await Promise.all(controllers.map(controller => controller.stop()))
      await informers.stop()
    },
  }
}
