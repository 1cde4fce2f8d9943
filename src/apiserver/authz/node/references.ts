import type { core } from '../../../api/index.ts'

const MIRROR = 'kubernetes.io/config.mirror'

/**
 * What a pod's node has to read for it, as `RESOURCE/NAME` of the pod's namespace. A mirror pod, which its node made, gives
 * that node nothing. Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/node/graph.go AddPod
 */
export const referencesOf = (pod: core.Pod): Set<string> =>
  pod.metadata.annotations?.[MIRROR] === undefined ? everyReference(pod) : new Set()

function everyReference({ metadata, spec, status }: core.Pod): Set<string> {
  const found = new Set<string>()
  const add = (resource: string, name: string | undefined) => {
    if (name) found.add(`${resource}/${name}`)
  }
  add('serviceaccounts', spec.serviceAccountName)
  for (const { name } of spec.imagePullSecrets ?? []) add('secrets', name)
  for (const { env, envFrom } of [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ]) {
    for (const { valueFrom } of env ?? []) {
      add('secrets', valueFrom?.secretKeyRef?.name)
      add('configmaps', valueFrom?.configMapKeyRef?.name)
    }
    for (const { secretRef, configMapRef } of envFrom ?? []) {
      add('secrets', secretRef?.name)
      add('configmaps', configMapRef?.name)
    }
  }
  for (const volume of spec.volumes ?? []) {
    for (const name of volumeSecrets(volume)) add('secrets', name)
    add('configmaps', volume.configMap?.name)
    for (const source of volume.projected?.sources ?? []) {
      add('secrets', source.secret?.name)
      add('configmaps', source.configMap?.name)
    }
    add('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName)
    if (volume.ephemeral) add('persistentvolumeclaims', `${metadata.name}-${volume.name}`)
  }
  for (const { resourceClaimName } of spec.resourceClaims ?? []) add('resourceclaims', resourceClaimName)
  for (const { resourceClaimName } of status.resourceClaimStatuses ?? []) add('resourceclaims', resourceClaimName)
  add('resourceclaims', status.extendedResourceClaimStatus?.resourceClaimName)
  return found
}

const volumeSecrets = (volume: core.Volume): (string | undefined)[] => [
  volume.secret?.secretName,
  volume.azureFile?.secretName,
  volume.cephfs?.secretRef?.name,
  volume.cinder?.secretRef?.name,
  volume.flexVolume?.secretRef?.name,
  volume.rbd?.secretRef?.name,
  volume.scaleIO?.secretRef?.name,
  volume.iscsi?.secretRef?.name,
  volume.storageos?.secretRef?.name,
  volume.csi?.nodePublishSecretRef?.name,
]

/**
 * The first thing in the API that a pod refers to, as messages name it; a mirror pod must not refer to any.
 * Source: k8s.io/kubernetes/pkg/api/pod HasAPIObjectReference
 */
export function firstReference(pod: core.Pod): string | undefined {
  const kinds = new Set([...everyReference(pod)].map(reference => reference.slice(0, reference.indexOf('/'))))
  for (const kind of ['serviceaccounts', 'secrets', 'configmaps']) if (kinds.has(kind)) return kind
  if (pod.spec.resourceClaims?.length) return 'resourceclaims'
  for (const volume of pod.spec.volumes ?? []) {
    for (const [source, what] of Object.entries(REFERRING_VOLUMES)) if (source in volume) return what
    for (const projected of volume.projected?.sources ?? [])
      for (const [source, what] of Object.entries(REFERRING_PROJECTIONS)) if (source in projected) return what
  }
  return undefined
}

const REFERRING_VOLUMES = {
  csi: 'csidrivers (via CSI volumes)',
  glusterfs: 'endpoints (via glusterFS volumes)',
  persistentVolumeClaim: 'persistentvolumeclaims',
  ephemeral: 'persistentvolumeclaims (via ephemeral volumes)',
}

const REFERRING_PROJECTIONS = {
  serviceAccountToken: 'serviceaccounts (via projected volumes)',
  clusterTrustBundle: 'clustertrustbundles',
  podCertificate: 'podcertificates',
}

/** The secrets that a volume needs on its node, as `NAMESPACE/NAME`; those without a namespace are of the claim's. */
export function secretsOfVolume({ spec }: core.PersistentVolume): string[] {
  const own = spec.claimRef?.namespace ?? ''
  const { azureFile, cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos, csi } = spec
  const references: { name?: string; namespace?: string }[] = [
    ...(azureFile ? [{ name: azureFile.secretName, namespace: azureFile.secretNamespace }] : []),
    ...[cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos].map(source => source?.secretRef ?? {}),
    csi?.controllerPublishSecretRef ?? {},
    csi?.nodePublishSecretRef ?? {},
    csi?.nodeStageSecretRef ?? {},
    csi?.nodeExpandSecretRef ?? {},
  ]
  return references.flatMap(({ name, namespace }) => (name ? [`${namespace || own}/${name}`] : []))
}
