import type { Authorizer } from '../../authz/authorizer.ts'
import type { Registry } from '../../registry/registry.ts'
import { type AdmissionPlugin, forbidden } from '../admission.ts'
import { namespaceAutoProvision, namespaceExists } from './namespaces.ts'
import { podNodeSelector } from './node-selector.ts'
import { ownerReferences } from './owner-references.ts'
import { alwaysPullImages, extendedResourceToleration, limitHardAntiAffinity } from './pods.ts'
import { denyExternalAddresses } from './services.ts'
import { podTolerationRestriction } from './toleration-restriction.ts'

/** What the administrator has written for plugins, by their names. */
export type PluginConfigurations = Record<string, unknown>

/**
 * The plugins that run only where they are asked for.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
export const optionalPlugins = (
  registry: Registry,
  authorizer: Authorizer,
  configurations: PluginConfigurations,
): AdmissionPlugin[] => [
  { name: 'AlwaysAdmit' },
  namespaceAutoProvision(registry),
  namespaceExists(registry.reader),
  limitHardAntiAffinity,
  alwaysPullImages,
  podNodeSelector(registry.reader, configurations.PodNodeSelector),
  podTolerationRestriction(registry.reader, configurations.PodTolerationRestriction),
  extendedResourceToleration,
  ownerReferences(registry, authorizer),
  denyExternalAddresses,
  alwaysDeny,
]

const alwaysDeny: AdmissionPlugin = {
  name: 'AlwaysDeny',
  mutate(attributes) {
    throw forbidden(attributes, 'admission control is denying all modifications')
  },
}
