import { type core, errors, resources } from '../../api/index.ts'
import type { Random } from '../../base/index.ts'
import type { Reader } from '../registry/reader.ts'
import type { AdmissionPlugin } from './admission.ts'

const DEFAULT_ACCOUNT = 'default'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const VOLUME_PREFIX = 'kube-api-access-'
/** One hour and the seven seconds by which upstream tells these tokens from others. */
const TOKEN_SECONDS = 3607
const MIRROR = 'kubernetes.io/config.mirror'

/**
 * Every pod runs as a service account and, unless it says otherwise, has a token of it mounted.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#serviceaccount-admission-controller
 */
export const serviceAccounts = (reader: Reader, random: Random): AdmissionPlugin => ({
  name: 'ServiceAccount',
  async mutate({ operation, resource, subresource, namespace, object }) {
    if (operation !== 'CREATE' || resource.resource !== 'pods' || subresource) return
    const pod = object as core.Pod
    // A mirror pod stands for one that runs already.
    if (pod.metadata.annotations?.[MIRROR] !== undefined) return
    pod.spec.serviceAccountName ||= DEFAULT_ACCOUNT
    pod.spec.serviceAccount = pod.spec.serviceAccountName
    const account = await reader.read(resources.serviceAccounts, namespace, pod.spec.serviceAccountName)
    if (!account)
      throw errors.forbidden(
        resource,
        pod.metadata.name || pod.metadata.generateName || '',
        `error looking up service account ${namespace}/${pod.spec.serviceAccountName}: serviceaccount ${JSON.stringify(pod.spec.serviceAccountName)} not found`,
      )
    if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
      mountToken(pod.spec, random)
    if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
      pod.spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => ({ name }))
  },
})

function mountToken(spec: core.PodSpec, random: Random): void {
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  const without = containers.filter(
    ({ volumeMounts }) => !volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH),
  )
  if (!without.length) return
  const present = spec.volumes?.find(({ name }) => name.startsWith(VOLUME_PREFIX))
  const name = present?.name ?? VOLUME_PREFIX + random.suffix(5)
  if (!present) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
  for (const container of without)
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }]
}

const tokenVolume = (name: string): core.Volume => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
    defaultMode: 0o644,
  },
})
