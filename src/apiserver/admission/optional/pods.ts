import { type core, fieldErrors, resources } from '../../../api/index.ts'
import { notSupported } from '../../registry/validation/field.ts'
import { type AdmissionPlugin, type Attributes, forbidden, isOf } from '../admission.ts'

type Container = core.Container | core.EphemeralContainer

const HOSTNAME = 'kubernetes.io/hostname'
const FIELDS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** With their paths. */
const containersOf = (spec: core.PodSpec): [string, Container][] =>
  FIELDS.flatMap(field =>
    (spec[field] ?? []).map((container: Container, index): [string, Container] => [
      `spec.${field}[${index}]`,
      container,
    ]),
  )

const isPodWrite = (attributes: Attributes) =>
  (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') && isOf(attributes, resources.pods)

/** Nobody runs an image that lies on the node already without showing that he may pull it. */
export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  mutate(attributes) {
    if (!bringsImages(attributes)) return
    const { spec } = attributes.object as core.Pod
    for (const [, container] of containersOf(spec)) container.imagePullPolicy = 'Always'
    for (const { image } of spec.volumes ?? []) if (image) image.pullPolicy = 'Always'
  },
  validate(attributes) {
    if (!bringsImages(attributes)) return
    const { spec } = attributes.object as core.Pod
    const policies = [
      ...containersOf(spec).map(([path, { imagePullPolicy }]) => [`${path}.imagePullPolicy`, imagePullPolicy] as const),
      ...(spec.volumes ?? []).flatMap(({ image }, index) =>
        image ? [[`spec.volumes[${index}].image.pullPolicy`, image.pullPolicy] as const] : [],
      ),
    ]
    const problems = policies.flatMap(([path, policy]) =>
      policy === 'Always' ? [] : [notSupported(path, policy ?? '', ['Always'])],
    )
    if (problems.length) throw forbidden(attributes, fieldErrors(problems))
  },
}

function bringsImages(attributes: Attributes): boolean {
  if (!isPodWrite(attributes)) return false
  if (attributes.operation === 'CREATE') return true
  const images = containersOf((attributes.old as core.Pod).spec).map(([, { image }]) => image)
  return containersOf((attributes.object as core.Pod).spec).some(([, { image }]) => !images.includes(image))
}

/** A pod keeps others away from its own node, and from nothing larger. */
export const limitHardAntiAffinity: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  validate(attributes) {
    if (!isPodWrite(attributes)) return
    const { affinity } = (attributes.object as core.Pod).spec
    const terms = affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    const wider = terms.find(({ topologyKey }) => topologyKey !== HOSTNAME)
    if (wider)
      throw forbidden(
        attributes,
        `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wider.topologyKey} but only key ${HOSTNAME} is allowed`,
      )
  },
}

/** Who asks for a device tolerates that nodes are kept for those who do. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  mutate(attributes) {
    if (!isPodWrite(attributes)) return
    const { spec } = attributes.object as core.Pod
    const requested = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources: { requests = {} } }) =>
      Object.keys(requests),
    )
    for (const key of [...new Set(requested)].filter(isExtended).sort()) {
      const isThere = ({ operator, effect, value, ...toleration }: core.Toleration) =>
        toleration.key === key && operator === 'Exists' && effect === 'NoSchedule' && !value
      if (!spec.tolerations?.some(isThere))
        spec.tolerations = [...(spec.tolerations ?? []), { key, operator: 'Exists', effect: 'NoSchedule' }]
    }
  },
}

/** Named after a domain that is not Kubernetes' own. */
const isExtended = (name: string) =>
  name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')
