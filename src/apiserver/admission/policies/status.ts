import { type admissionregistration, is, type KubeObject, type Resource, resources } from '../../../api/index.ts'
import { apply } from '../../../patch/index.ts'
import type { Live } from '../../registry/live.ts'
import { emptyOf, setManagedFields, writeOf } from '../../registry/ownership.ts'
import { ownCall, type Registry } from '../../registry/registry.ts'
import { update } from '../../registry/update.ts'
import { expressionWarnings } from './type-checking.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy

const MANAGER = 'validatingadmissionpolicy-status'

/**
 * Says in the status of each policy what its expressions look like with the types of what it is about, once for every
 * generation. Upstream's controller manager does it; here the API server, which alone knows CEL.
 * Source: k8s.io/kubernetes/pkg/controller/validatingadmissionpolicystatus
 */
export function reportTypes(registry: Registry, policies: Live<Policy>): void {
  const reported = new Map<string, number>()

  function look(): void {
    for (const policy of policies.objects) {
      const { uid, generation = 0 } = policy.metadata
      if (generation <= (policy.status?.observedGeneration ?? 0) || reported.get(uid!) === generation) continue
      reported.set(uid!, generation)
      void report(registry, policy).catch(error => {
        reported.delete(uid!)
        if (!is(error, 'NotFound')) registry.log.warn({ error, policy: policy.metadata.name }, 'types not reported')
      })
    }
    const present = new Set(policies.objects.map(({ metadata }) => metadata.uid))
    for (const uid of reported.keys()) if (!present.has(uid)) reported.delete(uid)
  }
  policies.changed(look)
  look()
}

async function report(registry: Registry, policy: Policy): Promise<void> {
  const { loadCel } = await import('../../cel/index.ts')
  await loadCel()
  const { name, generation } = policy.metadata
  const found = expressionWarnings(registry, policy)
  const served = registry.served(resources.validatingAdmissionPolicies as Resource)
  const call = { ...ownCall(served, '', name), subresource: 'status' }
  const { kind, apiVersion } = policy
  const typeChecking = found.length ? { expressionWarnings: found } : {}
  const configuration = {
    kind,
    apiVersion,
    metadata: { name },
    status: { observedGeneration: generation, typeChecking },
  }
  const write = writeOf(registry, call, MANAGER)
  const applied = async (live: KubeObject): Promise<KubeObject> => {
    const application = { live, empty: emptyOf(served), configuration: configuration as unknown as KubeObject }
    const outcome = await apply(write, { ...application, kind: served.resource, force: true })
    const object = outcome.object ? { ...served.codec.decode(outcome.object).object, kind, apiVersion } : live
    setManagedFields(object, outcome.managedFields)
    return object
  }
  await update(registry, { ...call, manager: undefined }, applied, { relative: true })
}
