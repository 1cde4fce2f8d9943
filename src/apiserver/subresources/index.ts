import type { Resource, Subresource } from '../../api/index.ts'
import type { TokenOptions } from '../authn/tokens.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { RequestInfo } from '../pipeline/context.ts'
import type { KubeletClient } from '../proxy/kubelet.ts'
import { podLogs, podPortForward, podStreams } from '../proxy/pods.ts'
import { nodeProxy, podProxy, serviceProxy } from '../proxy/proxy.ts'
import { type Verb, verbs } from '../registry/verbs.ts'
import { bindPod } from './binding.ts'
import { connected, ifMayCreate } from './connect.ts'
import { evictPod } from './eviction.ts'
import { getScale, patchScale, updateScale } from './scale.ts'
import { createToken } from './token.ts'

export interface SubresourceOptions {
  authorizer: Authorizer
  tokenOptions: TokenOptions
  /** Absent: what needs a kubelet answers 503. */
  kubeletClient?: KubeletClient
}

/** What answers a verb of a subresource; undefined when there is no such. */
export function subresourceVerbs({
  authorizer,
  tokenOptions,
  kubeletClient,
}: SubresourceOptions): (info: RequestInfo, of: Resource) => Verb | undefined {
  const connection = (options: string, verb: Verb) => connected(options, ifMayCreate(authorizer, verb))
  /** Those that exchange another kind than their parent's. */
  const special: Record<string, Verb> = {
    'create pods/binding': bindPod,
    'create pods/eviction': evictPod,
    'create serviceaccounts/token': createToken(tokenOptions),
    'get pods/log': podLogs(kubeletClient),
    ...anyVerb('pods/exec', connection('PodExecOptions', podStreams('exec', kubeletClient))),
    ...anyVerb('pods/attach', connection('PodAttachOptions', podStreams('attach', kubeletClient))),
    ...anyVerb('pods/portforward', connection('PodPortForwardOptions', podPortForward(kubeletClient))),
    ...anyVerb('nodes/proxy', connected('NodeProxyOptions', nodeProxy(kubeletClient))),
    ...anyVerb('pods/proxy', connected('PodProxyOptions', podProxy)),
    ...anyVerb('services/proxy', connected('ServiceProxyOptions', serviceProxy)),
    'get scale': getScale,
    'update scale': updateScale,
    'patch scale': patchScale,
  }
  return ({ verb, resource, subresource }, of) => {
    const declared = of.subresources.find(({ name }) => name === subresource)
    if (!declared || !(declared.verbs.includes(verb) || isOptions(declared, verb))) return undefined
    const own = special[`${verb} ${resource}/${subresource}`] ?? special[`${verb} ${subresource}`]
    if (own) return own
    return declared.kind === of.kind ? verbs[verb] : undefined
  }
}

/** A proxy passes OPTIONS on too, a method that no verb stands for. */
const isOptions = ({ name }: Subresource, verb: string) => name === 'proxy' && verb === ''

const anyVerb = (of: string, verb: Verb): Record<string, Verb> =>
  Object.fromEntries(['', 'get', 'create', 'update', 'patch', 'delete'].map(name => [`${name} ${of}`, verb]))
