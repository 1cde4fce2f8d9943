import { apiVersion, errors, type KubeObject, model } from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { admit, attributesOf, type Kind } from '../admission/admission.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { Context } from '../pipeline/context.ts'
import { isTrue } from '../pipeline/request-info.ts'
import type { Verb } from '../registry/verbs.ts'

/**
 * Lets admission judge a connection to a pod, a Service or a node before it is made; `options` is the kind that carries what
 * the query asks for. Source: k8s.io/apiserver/pkg/endpoints/handlers ConnectResource
 */
export function connected(options: string, verb: Verb): Verb {
  const kind: Kind = { group: '', version: 'v1', kind: options, type: `core/v1.${options}` }
  return async (registry, call, context) => {
    const object = optionsOf(kind, context)
    await admit(registry, attributesOf(call, { operation: 'CONNECT', kind, object }))
    return verb(registry, call, context)
  }
}

/**
 * A connection by which something is done in a pod takes the right to `create`, even if it is asked for by a GET.
 * Source: https://github.com/kubernetes/kubernetes/issues/133515
 */
export const ifMayCreate =
  (authorizer: Authorizer, verb: Verb): Verb =>
  async (registry, call, context) => {
    const { info, user } = context
    if (info.verb !== 'create') {
      const asked = { ...info, user, verb: 'create' }
      const { allowed, reason } = await authorizer.authorize(asked)
      if (!allowed) throw errors.forbidden(info, info.name, reason)
    }
    return verb(registry, call, context)
  }

function optionsOf(kind: Kind, { query, info }: Context): KubeObject {
  const values: Record<string, unknown> = {}
  for (const { name, kind: value, items } of model.type(kind.type).fields) {
    const given = query.getAll(name)
    if (!given.length) continue
    if (value === 'list') values[name] = items?.kind === 'int32' ? given.map(Number) : given
    else values[name] = value === 'bool' ? isTrue(given[0]!) : given[0]
  }
  const path = info.parts.slice(3).join('/')
  if (info.subresource === 'proxy' && path) values.path = `/${path}`
  const { object } = codecFor<KubeObject>(kind.type).decode(values)
  return Object.assign(object, { kind: kind.kind, apiVersion: apiVersion(kind) })
}
