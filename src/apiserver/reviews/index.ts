import {
  type authentication,
  type authorization,
  errors,
  type FieldError,
  formatTime,
  type KubeObject,
} from '../../api/index.ts'
import type { Authenticated } from '../authn/tokens.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import { joined } from '../authz/rbac/authorizer.ts'
import type { RequestInfo, User } from '../pipeline/context.ts'
import { decodeBody, fieldValidation } from '../pipeline/decode.ts'
import { receive } from '../registry/receive.ts'
import type { Call, Registry } from '../registry/registry.ts'
import { unkept } from '../registry/served.ts'
import { invalid } from '../registry/validation/field.ts'
import { answer, type Verb } from '../registry/verbs.ts'
import { bindPod } from '../subresources/binding.ts'
import { chooseView } from '../views/choose.ts'
import { asUpstream, attributesOf, checkSpec, decide } from './access.ts'

export interface ReviewOptions {
  authorizer: Authorizer
  tokens: { authenticate(token: string, audiences?: string[]): Promise<Authenticated> }
}

/** Answers a question by filling in its status. */
type Fill<T extends KubeObject> = (object: T, call: Call, registry: Registry) => void | Promise<void>

const question =
  <T extends KubeObject>(fill: Fill<T>): Verb =>
  async (registry, call, context) => {
    const { resource, codec } = call.served
    const { request, query, warnings } = context
    const view = chooseView(registry, context, call)
    const validation = fieldValidation(query, 'CreateOptions')
    const type = request.headers['content-type']
    const object = await decodeBody(await context.body(), type, resource, codec, validation, warnings)
    await registry.admission.validate(await receive(registry, call, resource, object))
    await fill(object as T, call, registry)
    return answer(view, 201, unkept(call.served, object))
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
        checkSpec(review.spec, [], unnamed(review))
        review.status = await decide(authorizer, attributesOf(review.spec, user))
      },
    ),

    'authorization.k8s.io/subjectaccessreviews': question<authorization.SubjectAccessReview>(async review => {
      checkSubject(review.spec, unnamed(review))
      review.status = await decide(authorizer, attributesOf(review.spec, subjectOf(review.spec)))
    }),

    'authorization.k8s.io/localsubjectaccessreviews': question<authorization.LocalSubjectAccessReview>(
      async (review, { namespace }) => {
        const { spec } = review
        checkLocal(review, namespace)
        review.status = await decide(authorizer, attributesOf(spec, subjectOf(spec)))
      },
    ),

    'authorization.k8s.io/selfsubjectrulesreviews': question<authorization.SelfSubjectRulesReview>(
      (review, { user }) => {
        if (!review.spec.namespace) throw errors.badRequest('no namespace on request')
        const { resource, nonResource, incomplete, errors: unknown } = authorizer.rulesFor!(user, review.spec.namespace)
        // The answer does not say again what was asked, nor who did.
        review.spec = {}
        review.metadata = {} as typeof review.metadata
        review.status = {
          resourceRules: resource,
          nonResourceRules: nonResource,
          incomplete,
          ...(unknown.length ? { evaluationError: joined(unknown) } : {}),
        }
      },
    ),
  }
  return ({ verb, group, resource }) => (verb === 'create' ? verbs[`${group}/${resource}`] : undefined)
}

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

function checkSubject(spec: authorization.SubjectAccessReviewSpec, more?: FieldError[]): void {
  const missing = !spec.user && !spec.groups?.length
  const detail = 'at least one of user or group must be specified'
  checkSpec(spec, missing ? [invalid('spec.user', '', detail)] : [], more)
}

/** A question has no metadata, but for who asked it. */
function unnamed({ metadata }: KubeObject, but: string[] = []): FieldError[] {
  const known = ['managedFields', ...but]
  const others = Object.entries(metadata).filter(([name, value]) => value !== undefined && !known.includes(name))
  const detail = but.length ? `must be empty except for ${but.join()}` : 'must be empty'
  return others.length ? [invalid('metadata', metadata, detail)] : []
}

/** Such a review is of its own namespace. */
function checkLocal(review: authorization.LocalSubjectAccessReview, namespace: string): void {
  const { spec } = review
  const more = unnamed(review, ['namespace'])
  const { resourceAttributes, nonResourceAttributes } = spec
  const asked = resourceAttributes?.namespace ?? ''
  if (resourceAttributes && asked !== namespace)
    more.push(invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'))
  if (nonResourceAttributes)
    more.push(
      invalid('spec.nonResourceAttributes', asUpstream(nonResourceAttributes), 'disallowed on this kind of request'),
    )
  checkSubject(spec, more)
}
