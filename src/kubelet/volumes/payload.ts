import type { core } from '../../api/index.ts'
import { podField, resourceField } from '../pod/env.ts'
import type { Payload } from './atomic-writer.ts'
import type { Tokens } from './tokens.ts'

/** Where the contents of projected volumes come from. */
export interface PayloadSources {
  configMap(pod: core.Pod, name: string): Promise<core.ConfigMap | undefined>
  secret(pod: core.Pod, name: string): Promise<core.Secret | undefined>
  tokens: Tokens
  nodeIps: string[]
  nodeName: string
  allocatable: Record<string, string>
}

const DEFAULT_MODE = 0o644

/** What a volume made of API objects has to hold; undefined for other kinds. Rejects when an object is missing. */
export async function payloadOf(
  pod: core.Pod,
  volume: core.Volume,
  sources: PayloadSources,
): Promise<Payload | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume
  const payload: Payload = new Map()
  if (configMap) await addConfigMap(pod, configMap, configMap.defaultMode, sources, payload)
  else if (secret) await addSecret(pod, { ...secret, name: secret.secretName }, secret.defaultMode, sources, payload)
  else if (downwardAPI) addDownward(pod, downwardAPI, downwardAPI.defaultMode, sources, payload)
  else if (projected) await addProjected(pod, projected, sources, payload)
  else return undefined
  return payload
}

async function addProjected(
  pod: core.Pod,
  { sources: parts = [], defaultMode }: core.ProjectedVolumeSource,
  sources: PayloadSources,
  payload: Payload,
): Promise<void> {
  for (const { configMap, secret, downwardAPI, serviceAccountToken } of parts) {
    if (configMap) await addConfigMap(pod, configMap, defaultMode, sources, payload)
    else if (secret) await addSecret(pod, secret, defaultMode, sources, payload)
    else if (downwardAPI) addDownward(pod, downwardAPI, defaultMode, sources, payload)
    else if (serviceAccountToken) {
      const token = await sources.tokens.get(pod, serviceAccountToken)
      const user = tokenUser(pod)
      const narrow = user !== undefined || pod.spec.securityContext?.fsGroup !== undefined
      const mode = narrow ? 0o600 : (defaultMode ?? DEFAULT_MODE)
      payload.set(serviceAccountToken.path, { data: Buffer.from(token), mode, uid: user })
    }
  }
}

/** The user that may read the token alone: when all containers run as the same one. */
function tokenUser(pod: core.Pod): number | undefined {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  const users = new Set(
    containers.map(({ securityContext }) => securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser),
  )
  const [user] = users
  return users.size === 1 ? user : undefined
}

async function addConfigMap(
  pod: core.Pod,
  { name = '', items, optional }: core.ConfigMapProjection,
  defaultMode: number | undefined,
  sources: PayloadSources,
  payload: Payload,
): Promise<void> {
  const found = await sources.configMap(pod, name)
  if (!found && !optional) throw new Error(`configmap "${name}" not found`)
  const data = new Map<string, Buffer>()
  for (const [key, value] of Object.entries(found?.data ?? {})) data.set(key, Buffer.from(value))
  for (const [key, value] of Object.entries(found?.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'))
  addKeys('configmap', data, items, defaultMode, optional, payload)
}

async function addSecret(
  pod: core.Pod,
  { name = '', items, optional }: core.SecretProjection,
  defaultMode: number | undefined,
  sources: PayloadSources,
  payload: Payload,
): Promise<void> {
  const found = await sources.secret(pod, name)
  if (!found && !optional) throw new Error(`secret "${name}" not found`)
  const entries = Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const)
  addKeys('secret', new Map(entries), items, defaultMode, optional, payload)
}

function addKeys(
  kind: string,
  data: Map<string, Buffer>,
  items: core.KeyToPath[] | undefined,
  defaultMode = DEFAULT_MODE,
  optional: boolean | undefined,
  payload: Payload,
): void {
  if (!items?.length) {
    for (const [key, value] of data) payload.set(key, { data: value, mode: defaultMode })
    return
  }
  for (const { key, path, mode } of items) {
    const value = data.get(key)
    if (value) payload.set(path, { data: value, mode: mode ?? defaultMode })
    else if (!optional)
      throw new Error(`${kind} references non-existent ${kind === 'secret' ? 'secret' : 'config'} key: ${key}`)
  }
}

function addDownward(
  pod: core.Pod,
  { items = [] }: core.DownwardAPIProjection,
  defaultMode = DEFAULT_MODE,
  sources: PayloadSources,
  payload: Payload,
): void {
  for (const { path, fieldRef, resourceFieldRef, mode } of items) {
    const text = fieldRef
      ? podField(pod, fieldRef.fieldPath, { podIps: [], nodeIps: sources.nodeIps, nodeName: sources.nodeName })
      : resourceFieldRef
        ? resourceField(pod, resourceFieldRef, undefined, sources.allocatable)
        : ''
    payload.set(path, { data: Buffer.from(text), mode: mode ?? defaultMode })
  }
}
