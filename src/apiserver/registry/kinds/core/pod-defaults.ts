import { type core, podResources } from '../../../../api/index.ts'

/**
 * Defaults of pods, and of the pod templates inside workloads.
 * Source: k8s.io/kubernetes/pkg/apis/core/v1/defaults.go
 */

const HOUR_IN_SECONDS = 3600
/** 0644 */
const FILE_MODE = 420

/** What only a pod gets: a template that said nothing keeps saying nothing, so that these can change between releases. */
export function defaultPod(pod: core.Pod): void {
  const { spec } = pod
  defaultPodSpec(spec)
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  for (const container of containers) defaultRequests(container)
  defaultPodResources(spec)
  spec.enableServiceLinks ??= true
  if (!spec.hostNetwork) return
  for (const port of containers.flatMap(container => container.ports ?? [])) port.hostPort ||= port.containerPort
}

export function defaultPodTemplate(template: core.PodTemplateSpec | undefined): void {
  if (template) defaultPodSpec(template.spec)
}

function defaultPodSpec(spec: core.PodSpec): void {
  dropDisabled(spec)
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  mirrorServiceAccount(spec)
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  for (const container of spec.containers ?? []) defaultContainer(container)
  for (const container of spec.initContainers ?? []) defaultContainer(container)
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container)
}

/** Fields of features that upstream has not switched on: what a client says there is not kept. */
function dropDisabled(spec: core.PodSpec): void {
  delete spec.schedulingGroup
  for (const { projected } of spec.volumes ?? [])
    for (const source of projected?.sources ?? []) delete source.clusterTrustBundle
  for (const list of [spec.containers, spec.initContainers, spec.ephemeralContainers])
    for (const container of list ?? []) {
      if (container.lifecycle?.stopSignal === undefined) continue
      delete container.lifecycle.stopSignal
      if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle
    }
}

/** `serviceAccount` is the deprecated alias of `serviceAccountName`: whichever is given, both are shown. */
export function mirrorServiceAccount(spec: core.PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (name) spec.serviceAccountName = spec.serviceAccount = name
}

function defaultContainer(container: core.Container | core.EphemeralContainer): void {
  container.imagePullPolicy ||= pullPolicy(container.image)
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const variable of container.env ?? []) defaultFieldRef(variable.valueFrom?.fieldRef)
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) defaultProbe(probe)
  defaultHttpGet(container.lifecycle?.postStart?.httpGet)
  defaultHttpGet(container.lifecycle?.preStop?.httpGet)
}

const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
/** Source: https://github.com/distribution/reference */
const IMAGE = new RegExp(
  `^(?:[A-Za-z0-9.-]+(?::\\d+)?/)?${PATH_PART}(?:/${PATH_PART})*(?::\\w[\\w.-]{0,127})?(?:@[A-Za-z][\\w+.-]*:[0-9a-fA-F]{32,})?$`,
)

/** A tag that moves is pulled each time. */
function pullPolicy(image = ''): 'Always' | 'IfNotPresent' {
  if (!image) return 'IfNotPresent'
  // What is no name of an image has no tag either.
  if (!IMAGE.test(image)) return 'IfNotPresent'
  const [name, digest] = image.split('@') as [string, string | undefined]
  const tag = name.slice(name.lastIndexOf('/') + 1).split(':')[1]
  return tag === 'latest' || (!tag && !digest) ? 'Always' : 'IfNotPresent'
}

/** Whoever limits a resource and does not say what is needed needs the limit. */
function defaultRequests({ resources }: { resources?: core.ResourceRequirements }): void {
  if (resources?.limits) resources.requests = { ...resources.limits, ...resources.requests }
}

/**
 * Of a pod that says anything of itself as a whole, and what it does not say: of huge pages it is limited to what its containers
 * are, of cpu and memory it needs what they need, and of all else what it is limited to.
 */
function defaultPodResources(spec: core.PodSpec): void {
  const { resources } = spec
  if (!resources || Object.keys({ ...resources.requests, ...resources.limits }).length === 0) return
  const ofContainers = { isPodLevel: () => false }
  const limits = Object.entries(podResources(spec, 'limits', ofContainers)).filter(
    ([name]) => name.startsWith('hugepages-') && resources.requests?.[name] === undefined,
  )
  if (limits.length) resources.limits = { ...Object.fromEntries(limits), ...resources.limits }
  if (!resources.limits || Object.keys(resources.limits).length === 0) return
  const { cpu, memory } = podResources(spec, 'requests', ofContainers)
  const needed = { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) }
  resources.requests = { ...resources.limits, ...needed, ...resources.requests }
}

function defaultProbe(probe: core.Probe | undefined): void {
  if (!probe) return
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  defaultHttpGet(probe.httpGet)
  if (probe.grpc) probe.grpc.service ??= ''
}

function defaultHttpGet(action: core.HTTPGetAction | undefined): void {
  if (!action) return
  action.path ||= '/'
  action.scheme ||= 'HTTP'
}

function defaultFieldRef(reference: core.ObjectFieldSelector | undefined): void {
  if (reference) reference.apiVersion ||= 'v1'
}

function defaultVolume(volume: core.Volume): void {
  if (Object.keys(volume).every(key => key === 'name')) volume.emptyDir = {}
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE
  if (volume.hostPath) volume.hostPath.type ??= ''
  if (volume.image) volume.image.pullPolicy ||= pullPolicy(volume.image.reference)
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE
    for (const file of volume.downwardAPI.items ?? []) defaultFieldRef(file.fieldRef)
  }
  if (volume.projected) defaultProjected(volume.projected)
  if (volume.ephemeral?.volumeClaimTemplate) defaultClaimSpec(volume.ephemeral.volumeClaimTemplate.spec)
}

function defaultProjected(projected: core.ProjectedVolumeSource): void {
  projected.defaultMode ??= FILE_MODE
  for (const source of projected.sources ?? []) {
    for (const file of source.downwardAPI?.items ?? []) defaultFieldRef(file.fieldRef)
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= HOUR_IN_SECONDS
  }
}

export function defaultClaimSpec(spec: core.PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem'
}
