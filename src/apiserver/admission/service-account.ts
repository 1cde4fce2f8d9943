import { type core, resources, StatusError } from '../../api/index.ts'
import type { Random } from '../../base/index.ts'
import { firstReference } from '../authz/node/references.ts'
import type { Reader } from '../registry/reader.ts'
import { type AdmissionPlugin, type Attributes, forbidden, isOf } from './admission.ts'

const DEFAULT_ACCOUNT = 'default'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const VOLUME_PREFIX = 'kube-api-access-'
/** One hour and the seven seconds by which upstream tells these tokens from others. */
const TOKEN_SECONDS = 3607
const MIRROR = 'kubernetes.io/config.mirror'
/** On an account whose pods may use no Secrets but those that it names. */
const LIMITED = 'kubernetes.io/enforce-mountable-secrets'

/**
 * Every pod runs as a service account and, unless it says otherwise, has a token of it mounted.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#serviceaccount-admission-controller
 */
export const serviceAccounts = (reader: Reader, random: Random): AdmissionPlugin => {
  async function accountOf(attributes: Attributes): Promise<core.ServiceAccount> {
    const { namespace } = attributes
    const { serviceAccountName: name } = (attributes.object as core.Pod).spec
    const account = name && (await reader.read(resources.serviceAccounts, namespace, name))
    if (account) return account
    throw forbidden(
      attributes,
      name
        ? `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`
        : `no service account specified for pod ${namespace}/${attributes.object!.metadata.name ?? ''}`,
    )
  }

  async function check(attributes: Attributes): Promise<void> {
    const pod = attributes.object as core.Pod
    const isMirror = attributes.operation === 'CREATE' && pod.metadata.annotations?.[MIRROR] !== undefined
    const complaint = isMirror ? mirrorComplaint(pod) : secretComplaint(await accountOf(attributes), attributes)
    if (!complaint) return
    if (attributes.operation === 'CREATE') throw forbidden(attributes, complaint)
    // Upstream does not classify what it says of a container for debugging.
    throw new StatusError({ status: 'Failure', message: complaint, code: 500 })
  }

  return {
    name: 'ServiceAccount',
    async mutate(attributes) {
      if (attributes.operation !== 'CREATE' || !isOf(attributes, resources.pods)) return
      const { metadata, spec } = attributes.object as core.Pod
      // A mirror pod stands for one that runs already.
      if (metadata.annotations?.[MIRROR] !== undefined) return check(attributes)
      spec.serviceAccountName ||= DEFAULT_ACCOUNT
      spec.serviceAccount = spec.serviceAccountName
      const account = await accountOf(attributes)
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, random)
      if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
        spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => ({ name }))
      const complaint = secretComplaint(account, attributes)
      if (complaint) throw forbidden(attributes, complaint)
    },
    /** Others may have changed the pod since. */
    validate(attributes) {
      const { operation, resource, subresource } = attributes
      if (resource.group || resource.resource !== 'pods') return
      const wanted = operation === 'CREATE' ? '' : operation === 'UPDATE' ? 'ephemeralcontainers' : undefined
      return subresource === wanted ? check(attributes) : undefined
    },
  }
}

/** Nobody has seen to it that the author of a static pod may use what others keep secret. */
function mirrorComplaint(pod: core.Pod): string | undefined {
  const { serviceAccountName, volumes = [] } = pod.spec
  if (serviceAccountName) return 'a mirror pod may not reference service accounts'
  if (firstReference(pod) === 'secrets') return 'a mirror pod may not reference secrets'
  return volumes.some(({ projected }) => projected?.sources?.some(source => source.serviceAccountToken))
    ? 'a mirror pod may not use ServiceAccountToken volume projections'
    : undefined
}

/** Which Secret the pod names that its account does not, where the account limits that. */
function secretComplaint(
  { metadata, secrets = [], imagePullSecrets = [] }: core.ServiceAccount,
  { operation, object }: Attributes,
): string | undefined {
  if (!/^(1|t|T|true|TRUE|True)$/.test(metadata.annotations?.[LIMITED] ?? '')) return undefined
  const { spec } = object as core.Pod
  const isMissing = (name = '') => !secrets.some(secret => secret.name === name)
  const refused = (what: string, kind = 'secret') =>
    `${what} is not allowed because service account ${metadata.name} does not reference that ${kind}`
  if (operation === 'UPDATE') return inContainers('ephemeral container', spec.ephemeralContainers)
  const volume = spec.volumes?.find(({ secret }) => secret && isMissing(secret.secretName))
  if (volume) return refused(`volume with secret.secretName="${volume.secret!.secretName}"`)
  const inside = inContainers('init container', spec.initContainers) ?? inContainers('container', spec.containers)
  if (inside) return inside
  const own = imagePullSecrets.map(({ name }) => name)
  const index = spec.imagePullSecrets?.findIndex(({ name }) => !own.includes(name)) ?? -1
  if (index < 0) return undefined
  return refused(`imagePullSecrets[${index}].name="${spec.imagePullSecrets![index]!.name}"`, 'imagePullSecret')

  function inContainers(kind: string, containers: (core.Container | core.EphemeralContainer)[] = []) {
    for (const { name, env = [], envFrom = [] } of containers) {
      const variable = env.find(({ valueFrom }) => valueFrom?.secretKeyRef && isMissing(valueFrom.secretKeyRef.name))
      const one = variable?.valueFrom?.secretKeyRef?.name
      if (variable)
        return refused(`${kind} ${name} with envVar ${variable.name} referencing secret.secretName="${one}"`)
      const all = envFrom.find(({ secretRef }) => secretRef && isMissing(secretRef.name))?.secretRef
      if (all) return refused(`${kind} ${name} with envFrom referencing secret.secretName="${all.name}"`)
    }
    return undefined
  }
}

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
