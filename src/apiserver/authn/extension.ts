import { resources } from '../../api/index.ts'
import { ensure } from '../bootstrap.ts'
import type { Registry } from '../registry/registry.ts'

/** By which headers, and signed by whom, this server says who asks. Source: kube-apiserver --requestheader-* */
export interface RequestHeader {
  /** PEM. */
  ca: string
  allowedNames: string[]
  usernameHeaders: string[]
  /** None by default. */
  uidHeaders?: string[]
  groupHeaders: string[]
  extraHeaderPrefixes: string[]
}

const NAME = 'extension-apiserver-authentication'

/**
 * Tells servers that this one passes requests on to whom they may believe.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/
 */
export async function publishAuthentication(
  registry: Registry,
  { clientCa, requestHeader }: { clientCa?: string; requestHeader?: RequestHeader },
): Promise<void> {
  const data: Record<string, string> = {
    ...(clientCa ? { 'client-ca-file': clientCa } : {}),
    ...(requestHeader
      ? {
          'requestheader-allowed-names': JSON.stringify(requestHeader.allowedNames),
          'requestheader-client-ca-file': requestHeader.ca,
          'requestheader-extra-headers-prefix': JSON.stringify(requestHeader.extraHeaderPrefixes),
          'requestheader-group-headers': JSON.stringify(requestHeader.groupHeaders),
          ...(requestHeader.uidHeaders?.length
            ? { 'requestheader-uid-headers': JSON.stringify(requestHeader.uidHeaders) }
            : {}),
          'requestheader-username-headers': JSON.stringify(requestHeader.usernameHeaders),
        }
      : {}),
  }
  const metadata = { name: NAME, namespace: 'kube-system' }
  await ensure(registry, resources.configMaps, { metadata, data }, map => {
    map.data = { ...map.data, ...data }
  })
}
