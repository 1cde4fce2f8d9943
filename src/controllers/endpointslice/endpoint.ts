import { isDeepStrictEqual } from 'node:util'
import { type core, type discovery, isPodReady, isPodTerminal, isSidecar, LabelSelector } from '../../api/index.ts'
import { type Informer, keyOf } from '../../client/index.ts'

/** Whether a Service's endpoints are made here: it has a selector, and is more than a name. */
export const selectsPods = ({ spec }: core.Service): boolean =>
  spec.type !== 'ExternalName' && !!spec.selector && Object.keys(spec.selector).length > 0

/** The keys of the Services that select the pod. */
export const servicesOf =
  (services: Informer<core.Service>) =>
  ({ metadata }: core.Pod): string[] =>
    services.lister
      .list(metadata.namespace)
      .filter(service => selectsPods(service) && LabelSelector.ofLabels(service.spec.selector).matches(metadata.labels))
      .map(keyOf)

export const selectedPods = (pods: Informer<core.Pod>, { metadata, spec }: core.Service): core.Pod[] => {
  const selector = LabelSelector.ofLabels(spec.selector)
  return pods.lister.list(metadata.namespace).filter(pod => selector.matches(pod.metadata.labels))
}

/** A pod that has finished, or has no address yet, serves nobody. */
export const isReachable = (pod: core.Pod): boolean => !isPodTerminal(pod) && !!pod.status.podIP

/** The pod's address of the family, if it has one. */
export function addressOf(pod: core.Pod, addressType: string): string | undefined {
  const addresses = pod.status.podIPs?.map(({ ip }) => ip) ?? [pod.status.podIP]
  return addresses.find(address => address && address.includes(':') === (addressType === 'IPv6'))
}

/** The number behind a Service's port at this pod: a name is looked up at the pod's containers. */
export function targetPort(
  pod: core.Pod,
  { targetPort, port, protocol = 'TCP' }: core.ServicePort,
): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port
  if (typeof targetPort === 'number') return targetPort
  const sidecars = pod.spec.initContainers?.filter(isSidecar) ?? []
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = container.ports?.find(each => each.name === targetPort && (each.protocol ?? 'TCP') === protocol)
    if (found) return found.containerPort
  }
  return undefined
}

/** The Service's ports at this pod; one whose name the pod does not know is left out. */
export function portsOf(pod: core.Pod, service: core.Service): discovery.EndpointPort[] {
  return (service.spec.ports ?? []).flatMap(servicePort => {
    const port = targetPort(pod, servicePort)
    if (port === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = servicePort
    return [{ name, port, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
}

export function endpointOf(
  pod: core.Pod,
  service: core.Service,
  address: string,
  zone: string | undefined,
): discovery.Endpoint {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata
  const serving = isPodReady(pod)
  const terminating = !!deletionTimestamp
  const ready = !!service.spec.publishNotReadyAddresses || (serving && !terminating)
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostnameIn(pod, service) ? { hostname: pod.spec.hostname } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
  }
}

/** Whether the pod has a DNS name of its own under the Service. */
export const hostnameIn = (pod: core.Pod, service: core.Service): boolean =>
  !!pod.spec.hostname && pod.spec.subdomain === service.metadata.name

export const sameEndpoint = (a: discovery.Endpoint, b: discovery.Endpoint): boolean => isDeepStrictEqual(a, b)
