import type { Check } from './health.ts'

/** How far the start of the server has come: what is kept is being followed, and what every cluster has is there. */
export type Stage = 'following' | 'bootstrapped'

/** What has to be done once, under the names and in the order of upstream's post-start hooks. */
const HOOKS: [name: string, done: Stage][] = [
  ['poststarthook/start-apiserver-admission-initializer', 'following'],
  ['poststarthook/generic-apiserver-start-informers', 'following'],
  ['poststarthook/start-apiextensions-informers', 'following'],
  ['poststarthook/start-apiextensions-controllers', 'following'],
  ['poststarthook/crd-informer-synced', 'following'],
  ['poststarthook/start-system-namespaces-controller', 'bootstrapped'],
  ['poststarthook/start-cluster-authentication-info-controller', 'bootstrapped'],
  ['poststarthook/storage-readiness', 'following'],
  ['poststarthook/start-service-ip-repair-controllers', 'following'],
  ['poststarthook/rbac/bootstrap-roles', 'bootstrapped'],
  ['poststarthook/scheduling/bootstrap-system-priority-classes', 'bootstrapped'],
  ['poststarthook/bootstrap-controller', 'bootstrapped'],
  ['poststarthook/start-kube-aggregator-informers', 'following'],
  ['poststarthook/apiservice-status-local-available-controller', 'following'],
  ['poststarthook/apiservice-status-remote-available-controller', 'following'],
  ['poststarthook/apiservice-registration-controller', 'following'],
  ['poststarthook/apiservice-discovery-controller', 'following'],
  ['poststarthook/kube-apiserver-autoregistration', 'following'],
  ['autoregister-completion', 'bootstrapped'],
  ['poststarthook/apiservice-openapi-controller', 'following'],
  ['poststarthook/apiservice-openapiv3-controller', 'following'],
]

export interface Hooks {
  checks: Check[]
  reached(stage: Stage): void
}

export function startHooks(): Hooks {
  const done = new Set<Stage>()
  return {
    checks: HOOKS.map(([name, stage]) => ({
      name,
      check() {
        if (!done.has(stage)) throw new Error('not finished')
      },
    })),
    reached: stage => void done.add(stage),
  }
}
