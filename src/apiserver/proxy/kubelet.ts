import { type core, errors, resources } from '../../api/index.ts'
import type { Registry } from '../registry/registry.ts'
import type { Target } from './forward.ts'

/** Who this server is to kubelets; PEM. */
export interface KubeletClient {
  ca: string
  cert: string
  key: string
}

const KUBELET_PORT = 10250
/** Source: kube-apiserver --kubelet-preferred-address-types, of those that need no name server first. */
const PREFERRED = ['InternalIP', 'ExternalIP', 'Hostname']

/** Where the kubelet of a node listens. Rejects with NotFound, or with 500 when the node does not say. */
export async function kubelet(
  { reader }: Registry,
  nodeName: string,
  client: KubeletClient | undefined,
  path: string,
): Promise<Target> {
  if (!client) throw errors.serviceUnavailable('this API server has no credentials for kubelets')
  const node = await reader.read(resources.nodes, '', nodeName)
  if (!node) throw errors.notFound(resources.nodes, nodeName)
  return {
    scheme: 'https',
    host: addressOf(node),
    port: node.status.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT,
    path,
    tls: client,
  }
}

function addressOf({ status, metadata }: core.Node): string {
  for (const wanted of PREFERRED) {
    const found = status.addresses?.find(({ type }) => type === wanted)
    if (found) return found.address
  }
  throw errors.internal(`no preferred addresses found for node ${JSON.stringify(metadata.name)}; known addresses: []`)
}
