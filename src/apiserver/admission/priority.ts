import { type core, errors, resources } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import type { AdmissionPlugin } from './admission.ts'

/** Turns a pod's priority class into its number. Source: k8s.io/kubernetes/plugin/pkg/admission/priority */
export const priority = (reader: Reader): AdmissionPlugin => ({
  name: 'Priority',
  async mutate({ operation, resource, subresource, object }) {
    if (operation !== 'CREATE' || resource.resource !== 'pods' || subresource) return
    const { spec, metadata } = object as core.Pod
    const found = await classOf(reader, spec.priorityClassName)
    if (spec.priorityClassName && !found)
      throw errors.forbidden(resource, metadata.name, `no PriorityClass with name ${spec.priorityClassName} was found`)
    const value = found?.value ?? 0
    if (spec.priority !== undefined && spec.priority !== value)
      throw errors.forbidden(
        resource,
        metadata.name,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      )
    spec.priority = value
    if (found) spec.priorityClassName = found.metadata.name
    const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority'
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
      throw errors.forbidden(
        resource,
        metadata.name,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      )
    spec.preemptionPolicy = policy
  },
})

/** The class that is named, or the one that is for pods which name none. */
async function classOf(reader: Reader, name: string | undefined) {
  if (name) return reader.read(resources.priorityClasses, '', name)
  const defaults = (await reader.cached(resources.priorityClasses)).filter(({ globalDefault }) => globalDefault)
  return defaults.sort((a, b) => a.value - b.value)[0]
}
