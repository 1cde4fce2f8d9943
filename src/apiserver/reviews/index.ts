import { type authentication, type authorization, errors, formatTime, type KubeObject } from '../../api/index.ts'
import type { TokenAuthenticator } from '../authn/tokens.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { RequestInfo, User } from '../pipeline/context.ts'
import { decodeBody, fieldValidation } from '../pipeline/decode.ts'
import type { Call, Registry } from '../registry/registry.ts'
import type { Verb } from '../registry/verbs.ts'
import { bindPod } from '../subresources/binding.ts'
import { attributesOf, checkSpec, decide } from './access.ts'

export interface ReviewOptions {
  authorizer: Authorizer
  tokens: TokenAuthenticator
}

/** Answers a question by filling in its status. */
type Answer<T extends KubeObject> = (object: T, call: Call, registry: Registry) => void | Promise<void>

const question =
  <T extends KubeObject>(answer: Answer<T>): Verb =>
  async (registry, call, context) => {
    const { resource, codec } = call.served
    const { request, query, warnings } = context
    const validation = fieldValidation(query, 'CreateOptions')
    const type = request.headers['content-type']
    const object = await decodeBody(await context.body(), type, resource, codec, validation, warnings)
    await answer(object as T, call, registry)
    return { status: 201, body: codec.encode(object) }
  }

/**
 * What creates a resource of which nothing is kept, since it is a question or a command; undefined for any other.
 */
export function createOnlyVerbs({ authorizer, tokens }: ReviewOptions): (info: RequestInfo) => Verb | undefined {
  const verbs: Record<string, Verb> = {
    '/bindings': bindPod,

    'authentication.k8s.io/selfsubjectreviews': question<authentication.SelfSubjectReview>(
      (review, { user }, { clock }) => {
        review.metadata.creationTimestamp = formatTime(clock.now())
        review.status = { userInfo: userInfo(user) }
      },
    ),

    'authentication.k8s.io/tokenreviews': question<authentication.TokenReview>(async review => {
      const { token, audiences } = review.spec
      if (!token) throw errors.badRequest('token is required for TokenReview in authentication')
      const judged = await tokens.authenticate(token, audiences?.length ? audiences : undefined)
      review.status =
        'user' in judged
          ? { authenticated: true, user: userInfo(judged.user), audiences: judged.audiences }
          : { user: {}, error: judged.error }
    }),

    'authorization.k8s.io/selfsubjectaccessreviews': question<authorization.SelfSubjectAccessReview>(
      async (review, { user }) => {
        checkSpec('SelfSubjectAccessReview', review.spec)
        review.status = await decide(authorizer, attributesOf(review.spec, user))
      },
    ),

    'authorization.k8s.io/subjectaccessreviews': question<authorization.SubjectAccessReview>(async review => {
      checkSubject('SubjectAccessReview', review.spec)
      review.status = await decide(authorizer, attributesOf(review.spec, subjectOf(review.spec)))
    }),

    'authorization.k8s.io/localsubjectaccessreviews': question<authorization.LocalSubjectAccessReview>(
      async (review, { namespace }) => {
        const { spec } = review
        checkSubject('LocalSubjectAccessReview', spec)
        if ((spec.resourceAttributes?.namespace ?? '') !== namespace)
          throw errors.badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
        review.status = await decide(authorizer, attributesOf(spec, subjectOf(spec)))
      },
    ),

    'authorization.k8s.io/selfsubjectrulesreviews': question<authorization.SelfSubjectRulesReview>(
      async (review, { user }) => {
        if (!review.spec.namespace) throw errors.badRequest('no namespace on request')
        const all = attributesOf({ resourceAttributes: { verb: '*', group: '*', resource: '*' } }, user)
        const { allowed } = await authorizer.authorize(all)
        review.status = {
          resourceRules: allowed ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] : SELF_REVIEW_RULES,
          nonResourceRules: allowed ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : DISCOVERY_RULES,
          incomplete: false,
        }
      },
    ),
  }
  return ({ verb, group, resource }) => (verb === 'create' ? verbs[`${group}/${resource}`] : undefined)
}

/** What everybody who is authenticated may do. */
const SELF_REVIEW_RULES: authorization.ResourceRule[] = [
  {
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  },
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
]
const DISCOVERY_PATHS = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/healthz',
  '/livez',
  '/openapi',
  '/openapi/*',
  '/readyz',
  '/version',
  '/version/',
]
const DISCOVERY_RULES: authorization.NonResourceRule[] = [{ verbs: ['get'], nonResourceURLs: DISCOVERY_PATHS }]

const userInfo = ({ name, uid, groups, extra }: User): authentication.UserInfo => ({
  username: name,
  ...(uid ? { uid } : {}),
  groups,
  ...(extra ? { extra } : {}),
})

const subjectOf = ({ user = '', uid, groups = [], extra }: authorization.SubjectAccessReviewSpec): User => ({
  name: user,
  groups,
  ...(uid ? { uid } : {}),
  ...(extra ? { extra } : {}),
})

function checkSubject(kind: string, spec: authorization.SubjectAccessReviewSpec): void {
  const missing = !spec.user && !spec.groups?.length
  checkSpec(
    kind,
    spec,
    missing
      ? [{ type: 'Invalid', field: 'spec.user', value: '', detail: 'at least one of user or group must be specified' }]
      : [],
  )
}
