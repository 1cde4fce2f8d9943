import { type apps, type core, isPodTerminal, LabelSelector, resources } from '../../api/index.ts'
import type { Component } from '../../base/index.ts'
import { from, keyOf, startController } from '../../client/index.ts'
import { type Context, recorderOf } from '../context.ts'
import { BY_CONTROLLER, claim, controllerIndex, controllerOf, orphansOf } from '../owners.ts'
import { Rollout } from './rollout.ts'
import { untilStuck } from './status.ts'

/**
 * Rolls Deployments out: a ReplicaSet for each version of the pod template, of which the new one grows while the old
 * ones shrink. Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
 */
export function startDeploymentController(context: Context): Component {
  const { client, informers, clock, log } = context
  const deployments = informers.get(resources.deployments)
  const replicaSets = informers.get(resources.replicaSets)
  const pods = informers.get(resources.pods)
  replicaSets.addIndex(BY_CONTROLLER, controllerIndex)
  pods.addIndex(BY_CONTROLLER, controllerIndex)
  const recorder = recorderOf(context, 'deployment-controller')

  /** An orphan concerns every Deployment that could adopt it. */
  const keysOf = (replicaSet: apps.ReplicaSet): string[] => {
    const { namespace, labels } = replicaSet.metadata
    const controller = controllerOf(replicaSet)
    if (controller) return controller.kind === 'Deployment' ? [`${namespace}/${controller.name}`] : []
    return deployments.lister
      .list(namespace)
      .filter(({ spec }) => LabelSelector.of(spec.selector).matches(labels))
      .map(keyOf)
  }

  const controller = startController({
    name: 'deployment',
    sources: [from(deployments), from(replicaSets, keysOf)],
    needs: [pods],
    reconcile,
    clock,
    log,
  })

  // A Recreate rollout goes on when the last old pod has gone, which no ReplicaSet's status tells in time.
  const endPods = pods.addHandlers({
    delete(pod) {
      const deployment = deploymentOf(pod)
      if (deployment?.spec.strategy.type === 'Recreate') controller.enqueue(keyOf(deployment))
    },
  })

  function deploymentOf(pod: core.Pod): apps.Deployment | undefined {
    const { namespace } = pod.metadata
    const replicaSet = replicaSets.lister.get({ namespace, name: controllerOf(pod)?.name ?? '' })
    const name = replicaSet && controllerOf(replicaSet)?.name
    return name ? deployments.lister.get({ namespace, name }) : undefined
  }

  async function reconcile(key: string) {
    const deployment = deployments.lister.getByKey(key)
    if (!deployment) return
    const selector = LabelSelector.of(deployment.spec.selector)
    if (selector.isEverything) return await refuse(deployment)
    const { uid, namespace } = deployment.metadata
    const owned = await claim({
      client,
      owner: deployment,
      ownerType: resources.deployments,
      selector,
      objectType: resources.replicaSets,
      candidates: [
        ...replicaSets.lister.byIndex(BY_CONTROLLER, uid),
        ...replicaSets.lister.byIndex(BY_CONTROLLER, orphansOf(namespace)),
      ],
    })
    const rollout = new Rollout({
      client,
      recorder,
      clock,
      deployment,
      replicaSets: owned,
      oldPodsRun: current => owned.some(each => each.metadata.uid !== current?.metadata.uid && podsRun(each)),
    })
    const after = await rollout.step()
    const wait = untilStuck(after, after.status, clock.now())
    // Times are told in whole seconds.
    return wait === undefined ? undefined : { after: Math.max(0, wait) + 1000 }
  }

  const podsRun = ({ metadata, status }: apps.ReplicaSet): boolean =>
    status.replicas > 0 || pods.lister.byIndex(BY_CONTROLLER, metadata.uid).some(pod => !isPodTerminal(pod))

  async function refuse(deployment: apps.Deployment): Promise<void> {
    const message = 'This deployment is selecting all pods. A non-empty selector is required.'
    recorder.warning(deployment, 'SelectingAll', message)
    const { generation } = deployment.metadata
    if ((deployment.status.observedGeneration ?? 0) >= (generation ?? 0)) return
    const status = { ...deployment.status, observedGeneration: generation }
    await client.update(resources.deployments, { ...deployment, status }, { subresource: 'status' })
  }

  return {
    async stop() {
      endPods()
      await controller.stop()
      await recorder.stop()
    },
  }
}
