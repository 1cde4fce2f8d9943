/** Small questions to a pod's spec. */
import { createHash } from 'node:crypto'
import type { core } from '../../api/index.ts'

export const initContainers = (pod: core.Pod): core.Container[] => pod.spec.initContainers ?? []
export const ephemeralContainers = (pod: core.Pod): core.EphemeralContainer[] => pod.spec.ephemeralContainers ?? []

/** Those whose resources count: init containers and the regular ones. */
export const allContainers = (pod: core.Pod): core.Container[] => [...initContainers(pod), ...pod.spec.containers]

export const containerNamed = (pod: core.Pod, name: string): core.Container | undefined =>
  [...allContainers(pod), ...ephemeralContainers(pod)].find(container => container.name === name)

export const restartPolicyOf = (pod: core.Pod) => pod.spec.restartPolicy ?? 'Always'

/** `name_namespace(uid)`: how upstream writes a pod in messages. */
export const formatPod = ({ metadata }: core.Pod): string => `${metadata.name}_${metadata.namespace}(${metadata.uid})`

/** Changes when a running container no longer is what the spec says: only its image may change in place. */
export const containerHash = ({ name, image }: core.Container): string =>
  createHash('sha256')
    .update(JSON.stringify([name, image]))
    .digest('hex')
    .slice(0, 8)

/** The field path that events of a container carry. */
export function fieldPathOf(pod: core.Pod, name: string): string {
  const kind = initContainers(pod).some(container => container.name === name)
    ? 'initContainers'
    : ephemeralContainers(pod).some(container => container.name === name)
      ? 'ephemeralContainers'
      : 'containers'
  return `spec.${kind}{${name}}`
}

export const hostnameOf = (pod: core.Pod): string => {
  const name = pod.spec.hostnameOverride ?? pod.spec.hostname ?? pod.metadata.name
  return name.slice(0, 63).replace(/[-.]+$/, '')
}

/** The fully qualified name that a subdomain gives the pod, or undefined. */
export const fqdnOf = (pod: core.Pod, clusterDomain: string): string | undefined =>
  pod.spec.subdomain
    ? `${hostnameOf(pod)}.${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`
    : undefined

/** The tag that an image without one has. */
export function withDefaultTag(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1)
  return last.includes(':') || last.includes('@') ? image : `${image}:latest`
}

/** What the API server leaves to the kubelet when an object came around defaulting. */
export const pullPolicyOf = (container: core.Container) =>
  container.imagePullPolicy ?? (withDefaultTag(container.image ?? '').endsWith(':latest') ? 'Always' : 'IfNotPresent')
