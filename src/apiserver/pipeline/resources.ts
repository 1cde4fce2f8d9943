import { errors } from '../../api/index.ts'
import { componentStatusVerbs } from '../component-statuses.ts'
import { dryRunProblems, managerOf } from '../registry/ownership.ts'
import type { Call, Registry } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import { verbs } from '../registry/verbs.ts'
import { createOnlyVerbs, type ReviewOptions } from '../reviews/index.ts'
import { type SubresourceOptions, subresourceVerbs } from '../subresources/index.ts'
import type { Context, Handler, RequestInfo } from './context.ts'

/** What answers requests for resources: a verb, of the resource or of one of its subresources. */
export function resourceHandler(registry: Registry, options: ReviewOptions & SubresourceOptions): Handler {
  const createOnly = createOnlyVerbs(options)
  const subresourceVerb = subresourceVerbs(options)
  return context => {
    const { info, query, warnings, auditAnnotations, user } = context
    const resource = context.resource!
    if (!isPath(context)) throw errors.noRoute()
    const shown = registry.served(resource)
    const call: Call = {
      served: shown.conversion ? registry.served(shown.conversion.stored) : shown,
      shown,
      subresource: info.subresource,
      namespace: resource.namespaced ? info.namespace : '',
      name: info.name,
      user,
      manager: WRITES.has(info.verb) ? managerOf(context) : undefined,
      dryRun: isDryRun(info.verb, query),
      warnings,
      auditAnnotations,
      options: { query },
    }
    if (shown.custom?.deprecation) warnings.push(shown.custom.deprecation)
    const handler = info.subresource ? subresourceVerb(info, resource) : (createOnly(info) ?? verbsOf(info)[info.verb])
    if (!handler || !isServed(context)) throw errors.methodNotAllowed()
    if (!takesHead(shown, context)) throw errors.methodNotAllowed()
    return handler(registry, call, context)
  }
}

/** Whether there can be anything at all where the path points to. */
function isPath({ info, resource, request }: Context): boolean {
  const { namespaced, subresources } = resource!
  if (!namespaced && info.namespace && info.resource !== 'namespaces') return false
  if (namespaced && !info.namespace && info.parts.length > 1) return false
  if (!info.subresource) return !request.url!.includes('//')
  return info.subresource === 'proxy' || (info.parts.length === 3 && subresources.some(isNamed(info.subresource)))
}

/** Built-in resources are not asked for their heads, but for what is behind a proxy. */
const takesHead = ({ custom }: Served, { request, info }: Context): boolean =>
  request.method !== 'HEAD' || custom !== undefined || info.subresource === 'proxy'

const isNamed =
  (wanted: string) =>
  ({ name }: { name: string }) =>
    name === wanted

/** Of ComponentStatuses nothing is kept. */
const verbsOf = ({ group, resource }: RequestInfo) =>
  group === '' && resource === 'componentstatuses' ? componentStatusVerbs : verbs

const WRITES = new Set(['create', 'update', 'patch'])

/** What the query of a write is. */
const OPTIONS: Record<string, string> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
}

function isDryRun(verb: string, query: URLSearchParams): boolean {
  const kind = OPTIONS[verb]
  if (!kind) return false
  const problems = dryRunProblems(query)
  if (problems.length) throw errors.invalid({ group: 'meta.k8s.io', kind }, '', problems)
  return query.has('dryRun')
}

/** Whether discovery lists the verb, and the path is one for it: to create there is no name, to change there is one. */
function isServed({ info, resource }: Context): boolean {
  if (info.subresource) return true
  if (info.verb === 'create' && info.parts.length > 1) return false
  if ((info.verb === 'update' || info.verb === 'patch') && !info.name) return false
  return resource!.verbs.includes(info.verb)
}
