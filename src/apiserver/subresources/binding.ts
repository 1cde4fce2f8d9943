import { type core, errors, fieldErrors, formatTime, type KubeObject, resources } from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { decodeBody, fieldValidation } from '../pipeline/decode.ts'
import { json } from '../pipeline/respond.ts'
import { receive } from '../registry/receive.ts'
import type { Call, Registry } from '../registry/registry.ts'
import { servePart } from '../registry/served.ts'
import { update } from '../registry/update.ts'
import type { Verb } from '../registry/verbs.ts'
import { chooseView } from '../views/choose.ts'

const ABOUT = { group: '', resource: 'pods/binding' }

/** Assigns a pod to a node. Source: k8s.io/kubernetes/pkg/registry/core/pod/storage BindingREST */
export const bindPod: Verb = async (registry, call, context) => {
  const { request, query, warnings } = context
  chooseView(registry, context, { ...call, shown: servePart(resources.bindings, 'create') })
  const validation = fieldValidation(query, 'CreateOptions')
  const codec = codecFor<core.Binding>('core/v1.Binding')
  const type = request.headers['content-type']
  const binding = await decodeBody(await context.body(), type, resources.bindings, codec, validation, warnings)
  const name = call.name || binding.metadata.name
  if (!name) throw errors.badRequest('Name parameter required.')
  if (call.name && binding.metadata.name !== call.name)
    throw errors.badRequest('name in URL does not match name in Binding object')
  const named = { ...call, name }
  // By way of the pod, its uid can be insisted on.
  const attributes = await receive(registry, named, resources.bindings, binding, call.subresource === 'binding')
  await registry.admission.validate(attributes)
  checkTarget(binding)
  const served = registry.served(resources.pods as never)
  await assign(
    registry,
    { ...call, served, name, subresource: 'binding', manager: undefined, admitted: true, trusted: true },
    binding,
  )
  return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

async function assign(registry: Registry, call: Call, binding: core.Binding): Promise<void> {
  const { uid, resourceVersion, annotations, labels } = binding.metadata
  const node = binding.target.name!
  const bind = (old: KubeObject) => {
    const pod = old as core.Pod
    const conflict = (detail: string) => errors.conflict(ABOUT, call.name, detail)
    const unmet = (detail: string) =>
      errors.conflict(
        resources.pods,
        call.name,
        `StorageError: invalid object, Code: 4, Key: /registry/pods/${call.namespace}/${call.name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${detail}`,
      )
    if (uid && uid !== pod.metadata.uid)
      throw unmet(`UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`)
    if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion)
      throw unmet(
        `ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`,
      )
    if (pod.metadata.deletionTimestamp)
      throw conflict(`pod ${pod.metadata.name} is being deleted, cannot be assigned to a host`)
    if (pod.spec.nodeName)
      throw conflict(`pod ${pod.metadata.name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
    if (pod.spec.schedulingGates?.length) throw conflict(`pod ${pod.metadata.name} has non-empty .spec.schedulingGates`)
    pod.spec.nodeName = node
    if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations }
    if (labels) pod.metadata.labels = { ...pod.metadata.labels, ...labels }
    markScheduled(pod, formatTime(registry.clock.now()))
    return pod
  }
  await update(registry, call, bind, { relative: true })
}

function markScheduled({ status }: core.Pod, now: string): void {
  const condition: core.PodCondition = { type: 'PodScheduled', status: 'True', lastTransitionTime: now }
  const others = status.conditions?.filter(({ type }) => type !== 'PodScheduled') ?? []
  status.conditions = [...others, condition]
}

function checkTarget({ target }: core.Binding): void {
  const problems = []
  if (target.kind && target.kind !== 'Node')
    problems.push({
      type: 'NotSupported' as const,
      field: 'target.kind',
      value: target.kind,
      detail: 'supported values: "Node", "<empty>"',
    })
  if (!target.name) problems.push({ type: 'Required' as const, field: 'target.name', detail: '' })
  // Upstream has no better answer than that something went wrong.
  if (problems.length) throw errors.bare(fieldErrors(problems))
}
