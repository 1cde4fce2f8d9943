import { type core, resources, type scheduling } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import { type AdmissionPlugin, forbidden, isOf } from './admission.ts'

/** Turns a pod's priority class into its number. Source: k8s.io/kubernetes/plugin/pkg/admission/priority */
export const priority = (reader: Reader): AdmissionPlugin => ({
  name: 'Priority',
  async mutate(attributes) {
    const { operation, object, old } = attributes
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isOf(attributes, resources.pods)) return
    const { spec } = object as core.Pod
    if (old) return keepPriority(spec, (old as core.Pod).spec)
    const found = await classOf(reader, spec.priorityClassName)
    if (spec.priorityClassName && !found)
      throw forbidden(attributes, `no PriorityClass with name ${spec.priorityClassName} was found`)
    const value = found?.value ?? 0
    if (spec.priority !== undefined && spec.priority !== value)
      throw forbidden(
        attributes,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      )
    spec.priority = value
    if (found) spec.priorityClassName = found.metadata.name
    const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority'
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
      throw forbidden(
        attributes,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      )
    spec.preemptionPolicy = policy
  },
  async validate(attributes) {
    const { operation, object } = attributes
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isOf(attributes, resources.priorityClasses)) return
    const { globalDefault, metadata } = object as scheduling.PriorityClass
    if (!globalDefault) return
    const present = await classOf(reader, undefined)
    if (present && !(operation === 'UPDATE' && present.metadata.name === metadata.name))
      throw forbidden(
        attributes,
        `PriorityClass ${present.metadata.name} is already marked as default. Only one default can exist`,
      )
  },
})

/** Who replaces a pod by the manifest that it was made from says nothing of them, and may not change them. */
function keepPriority(spec: core.PodSpec, { priority, preemptionPolicy }: core.PodSpec): void {
  if (priority !== undefined) spec.priority ??= priority
  if (preemptionPolicy !== undefined) spec.preemptionPolicy ??= preemptionPolicy
}

/** The class that is named, or the one that is for pods which name none. */
async function classOf(reader: Reader, name: string | undefined) {
  if (name) return reader.read(resources.priorityClasses, '', name)
  const defaults = (await reader.cached(resources.priorityClasses)).filter(({ globalDefault }) => globalDefault)
  return defaults.sort((a, b) => a.value - b.value)[0]
}
