import {
  type authentication,
  type core,
  errors,
  type FieldError,
  formatTime,
  type Resource,
  resources,
} from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import type { TokenOptions } from '../authn/tokens.ts'
import { decodeBody, fieldValidation } from '../pipeline/decode.ts'
import { get } from '../registry/get.ts'
import { receive } from '../registry/receive.ts'
import type { Call, Registry } from '../registry/registry.ts'
import { decodeEntry, servePart, unkept } from '../registry/served.ts'
import { answer, type Verb } from '../registry/verbs.ts'
import { chooseView } from '../views/choose.ts'

type TokenRequest = authentication.TokenRequest

const REQUEST = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  type: 'authentication/v1.TokenRequest',
}
const SHORTEST = 600
const LONGEST = 2 ** 32
const DEFAULT_SECONDS = 3600
/** What kubelets ask for pods, and how long such a token is in truth good for. Source: --service-account-extend-token-expiration */
const WARN_SECONDS = 3607
const EXTENDED_SECONDS = 365 * 24 * 3600

/** Signs a token of a service account. Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
export const createToken =
  ({ issuer, signing, audiences = [issuer], extend = true, longest = Number.POSITIVE_INFINITY }: TokenOptions): Verb =>
  async (registry, call, context) => {
    const { query, request: incoming, warnings } = context
    const shown = servePart(REQUEST, 'create')
    const view = chooseView(registry, context, { ...call, shown })
    const validation = fieldValidation(query, 'CreateOptions')
    const codec = codecFor<TokenRequest>('authentication/v1.TokenRequest')
    const type = incoming.headers['content-type']
    const request = await decodeBody(await context.body(), type, REQUEST, codec, validation, warnings)
    const account = decodeEntry<core.ServiceAccount>(await get(registry, call))
    request.spec.expirationSeconds ??= DEFAULT_SECONDS
    checkName(request, call.name)
    const attributes = await receive(registry, call, REQUEST, request)
    const creationTimestamp = formatTime(registry.clock.now())
    request.metadata = { ...request.metadata, name: call.name, uid: registry.random.uuid(), creationTimestamp }
    if (!request.spec.audiences?.length) request.spec.audiences = audiences
    await registry.admission.validate(attributes)
    check(request)
    const bound = await boundTo(registry, call, request)
    const seconds = Math.floor(registry.clock.now() / 1000)
    const asked = Math.min(request.spec.expirationSeconds, longest)
    request.spec.expirationSeconds = asked
    const own = request.spec.audiences.every(audience => audiences.includes(audience))
    const extended = extend && asked === WARN_SECONDS && bound.pod !== undefined && own
    const expires = seconds + (extended ? EXTENDED_SECONDS : asked)
    const jti = registry.random.uuid()
    context.audited?.annotate('authentication.kubernetes.io/issued-credential-id', `JTI=${jti}`)
    const token = signing.sign({
      aud: request.spec.audiences,
      exp: expires,
      iat: seconds,
      iss: issuer,
      jti,
      'kubernetes.io': {
        namespace: call.namespace,
        ...bound,
        serviceaccount: { name: account.metadata.name, uid: account.metadata.uid },
        ...(extended ? { warnafter: seconds + asked } : {}),
      },
      nbf: seconds,
      sub: `system:serviceaccount:${call.namespace}:${call.name}`,
    })
    request.status = { token, expirationTimestamp: formatTime((seconds + asked) * 1000) }
    return answer(view, 201, unkept(shown, request))
  }

function checkName({ metadata: { name } }: TokenRequest, account: string): void {
  if (!name || name === account) return
  throw errors.invalid(REQUEST, account, [
    {
      type: 'Invalid',
      field: 'metadata.name',
      value: name,
      detail: 'must match the service account name if specified',
    },
  ])
}

/** Source: k8s.io/kubernetes/pkg/apis/authentication/validation */
function check({ spec }: TokenRequest): void {
  const field = 'spec.expirationSeconds'
  const value = spec.expirationSeconds!
  const problems: FieldError[] = []
  if (value < SHORTEST)
    problems.push({ type: 'Invalid', field, value, detail: 'may not specify a duration less than 10 minutes' })
  if (value > LONGEST)
    problems.push({ type: 'Invalid', field, value, detail: 'may not specify a duration larger than 2^32 seconds' })
  // By now it has no name of its own.
  if (problems.length) throw errors.invalid(REQUEST, '', problems)
}

const BINDABLE = ['Pod', 'Secret', 'Node']

interface BoundClaims {
  node?: { name: string; uid?: string }
  pod?: { name: string; uid: string }
  secret?: { name: string; uid: string }
}

/** What the token is to die with: it has to be there, and be the one that is meant. */
async function boundTo({ reader }: Registry, { namespace, name }: Call, { spec }: TokenRequest): Promise<BoundClaims> {
  const ref = spec.boundObjectRef
  if (!ref) return {}
  const [version = '', group = ''] = (ref.apiVersion ?? '').split('/').reverse()
  // Who names only the kind means that of the core group, as far as there is one.
  const known = BINDABLE.includes(ref.kind ?? '') && !group && (version || 'v1') === 'v1'
  if (!known) {
    const shown = `${group}/${version}, Kind=${ref.kind ?? ''}`
    throw errors.badRequest(`cannot bind token to object of type ${shown}`)
  }
  if (!ref.name) throw errors.badRequest('Name parameter required.')
  const wanted = ref.name
  const found = async <T extends core.Pod | core.Secret | core.Node>(
    resource: Pick<Resource, 'group' | 'resource' | 'kind'>,
    held: T | undefined,
  ): Promise<T> => {
    if (!held) throw errors.notFound(resource, wanted)
    if (ref.uid && ref.uid !== held.metadata.uid)
      throw errors.conflict(
        { group: resource.group, resource: resource.kind },
        wanted,
        `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    return held
  }
  if (ref.kind === 'Pod') {
    const pod = await found(resources.pods, await reader.read(resources.pods, namespace, wanted))
    const account = pod.spec.serviceAccountName
    if (account !== name)
      throw errors.badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(name)} to pod running with different serviceaccount name.`,
      )
    const node = pod.spec.nodeName ? await reader.read(resources.nodes, '', pod.spec.nodeName) : undefined
    return {
      ...(pod.spec.nodeName ? { node: { name: pod.spec.nodeName, ...(node ? { uid: node.metadata.uid } : {}) } } : {}),
      pod: { name: wanted, uid: pod.metadata.uid },
    }
  }
  if (ref.kind === 'Secret') {
    const secret = await found(resources.secrets, await reader.read(resources.secrets, namespace, wanted))
    return { secret: { name: wanted, uid: secret.metadata.uid } }
  }
  const node = await found(resources.nodes, await reader.read(resources.nodes, '', wanted))
  return { node: { name: wanted, uid: node.metadata.uid } }
}
