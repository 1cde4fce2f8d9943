import { type core, type node, resourceList, resources } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import { type AdmissionPlugin, type Attributes, forbidden, isOf } from './admission.ts'
import { merged } from './tolerations.ts'

const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"

/**
 * A pod costs what its runtime costs besides, and goes where there is such a runtime.
 * Source: https://kubernetes.io/docs/concepts/containers/runtime-class/
 */
export const runtimeClass = (reader: Reader): AdmissionPlugin => ({
  name: 'RuntimeClass',
  mutate(attributes) {
    if (!isNewPod(attributes)) return
    const { runtimeClassName } = (attributes.object as core.Pod).spec
    if (runtimeClassName === undefined) return
    return find(reader, attributes, runtimeClassName).then(found => {
      takeOn(attributes, found)
    })
  },
  validate(attributes) {
    if (!isNewPod(attributes)) return
    const { runtimeClassName } = (attributes.object as core.Pod).spec
    if (runtimeClassName === undefined) return check(attributes, undefined)
    return find(reader, attributes, runtimeClassName).then(found => check(attributes, found))
  },
})

const isNewPod = (attributes: Attributes) => attributes.operation === 'CREATE' && isOf(attributes, resources.pods)

async function find(reader: Reader, attributes: Attributes, name: string): Promise<node.RuntimeClass> {
  const found = await reader.read(resources.runtimeClasses, '', name)
  if (!found) throw forbidden(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
  return found
}

function takeOn(attributes: Attributes, { overhead, scheduling }: node.RuntimeClass): void {
  const { spec } = attributes.object as core.Pod
  if (overhead) {
    const { podFixed } = overhead
    if (Object.keys(spec.overhead ?? {}).length && !resourceList.same(podFixed, spec.overhead))
      throw forbidden(attributes, MISMATCH)
    if (podFixed) spec.overhead = { ...podFixed }
    else delete spec.overhead
  }
  if (!scheduling) return
  const { nodeSelector: own = {} } = spec
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {}).sort()) {
    if (Object.hasOwn(own, key) && own[key] !== value)
      throw forbidden(
        attributes,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`,
      )
  }
  if (spec.nodeSelector || scheduling.nodeSelector) spec.nodeSelector = { ...own, ...scheduling.nodeSelector }
  const tolerations = merged(spec.tolerations, scheduling.tolerations)
  if (tolerations.length) spec.tolerations = tolerations
}

function check(attributes: Attributes, found: node.RuntimeClass | undefined): void {
  const { overhead } = (attributes.object as core.Pod).spec
  if (found?.overhead) {
    if (!resourceList.same(found.overhead.podFixed, overhead)) throw forbidden(attributes, MISMATCH)
  } else if (overhead)
    throw forbidden(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
}
