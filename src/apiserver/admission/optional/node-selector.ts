import { type core, errors, resources } from '../../../api/index.ts'
import type { Reader } from '../../registry/reader.ts'
import { type AdmissionPlugin, type Attributes, forbidden, isOf } from '../admission.ts'

const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector'
/** Where the configuration has the selector for namespaces that say none. */
const USUAL = 'clusterDefaultNodeSelector'

type Labels = Record<string, string>

/**
 * The pods of a namespace run on nodes that it names in an annotation; the configuration may say which those can be.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#podnodeselector
 */
export function podNodeSelector(reader: Reader, configuration: unknown): AdmissionPlugin {
  const { podNodeSelectorPluginConfig: selectors = {} } = (configuration ?? {}) as {
    podNodeSelectorPluginConfig?: Labels
  }

  async function selectorOf({ namespace }: Attributes): Promise<Labels> {
    const found = await reader.read(resources.namespaces, '', namespace)
    if (!found) throw errors.notFound(resources.namespaces, namespace)
    return parse(found.metadata.annotations?.[ANNOTATION] ?? selectors[USUAL])
  }

  function check(attributes: Attributes, wanted: Labels): void {
    const { nodeSelector = {} } = (attributes.object as core.Pod).spec
    if (Object.entries(wanted).some(([key, value]) => (nodeSelector[key] ?? value) !== value))
      throw forbidden(attributes, 'pod node label selector conflicts with its namespace node label selector')
  }

  function checkAllowed(attributes: Attributes): void {
    const allowed = parse(selectors[attributes.namespace])
    const { nodeSelector = {} } = (attributes.object as core.Pod).spec
    if (Object.keys(allowed).length && Object.entries(nodeSelector).some(([key, value]) => allowed[key] !== value))
      throw forbidden(attributes, 'pod node label selector labels conflict with its namespace whitelist')
  }

  const isNewPod = (attributes: Attributes) => attributes.operation === 'CREATE' && isOf(attributes, resources.pods)

  return {
    name: 'PodNodeSelector',
    async mutate(attributes) {
      if (!isNewPod(attributes)) return
      const wanted = await selectorOf(attributes)
      check(attributes, wanted)
      const { spec } = attributes.object as core.Pod
      if (Object.keys(wanted).length) spec.nodeSelector = { ...wanted, ...spec.nodeSelector }
      checkAllowed(attributes)
    },
    async validate(attributes) {
      if (!isNewPod(attributes)) return
      check(attributes, await selectorOf(attributes))
      checkAllowed(attributes)
    },
  }
}

/** `a=b,c=d` */
function parse(selector = ''): Labels {
  const labels: Labels = {}
  for (const part of selector.split(',').filter(each => each.trim())) {
    const [key, value, ...rest] = part.split('=')
    if (value === undefined || rest.length) throw errors.badRequest(`invalid selector: ${part}`)
    labels[key!.trim()] = value.trim()
  }
  return labels
}
