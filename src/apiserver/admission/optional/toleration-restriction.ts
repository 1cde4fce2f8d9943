import { type core, resources, StatusError } from '../../../api/index.ts'
import { qosClass } from '../../registry/kinds/core/qos.ts'
import type { Reader } from '../../registry/reader.ts'
import { type AdmissionPlugin, type Attributes, isOf } from '../admission.ts'
import { isAllowed, merged } from '../tolerations.ts'

const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations'
const ALLOWED = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'
const MEMORY_PRESSURE: core.Toleration = {
  key: 'node.kubernetes.io/memory-pressure',
  operator: 'Exists',
  effect: 'NoSchedule',
}

interface Configuration {
  default?: core.Toleration[]
  whitelist?: core.Toleration[]
}

/**
 * The pods of a namespace tolerate what an annotation of it says, and no more than another allows.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podtolerationrestriction
 */
export function podTolerationRestriction(reader: Reader, configuration: unknown): AdmissionPlugin {
  const { default: usual, whitelist } = (configuration ?? {}) as Configuration

  async function said({ namespace }: Attributes, annotation: string): Promise<core.Toleration[] | undefined> {
    const found = await reader.read(resources.namespaces, '', namespace)
    const text = found?.metadata.annotations?.[annotation]
    return text === undefined ? undefined : (JSON.parse(text || '[]') as core.Toleration[])
  }

  async function check(attributes: Attributes): Promise<void> {
    const { tolerations } = (attributes.object as core.Pod).spec
    const own = await said(attributes, ALLOWED)
    if (isAllowed(tolerations, own ?? whitelist)) return
    // Upstream does not classify this one.
    throw new StatusError({
      status: 'Failure',
      message: `pod tolerations (possibly merged with namespace default tolerations) conflict with its ${own ? 'namespace' : 'cluster'} whitelist`,
      code: 500,
    })
  }

  const isPodWrite = (attributes: Attributes) =>
    (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE') && isOf(attributes, resources.pods)

  return {
    name: 'PodTolerationRestriction',
    async mutate(attributes) {
      if (!isPodWrite(attributes)) return
      const { spec } = attributes.object as core.Pod
      const wanted = attributes.operation === 'CREATE' ? ((await said(attributes, DEFAULTS)) ?? usual ?? []) : []
      const extra = qosClass(spec) === 'BestEffort' ? wanted : [...wanted, MEMORY_PRESSURE]
      if (extra.length) spec.tolerations = merged(spec.tolerations, extra)
      return check(attributes)
    },
    validate(attributes) {
      return isPodWrite(attributes) ? check(attributes) : undefined
    },
  }
}
