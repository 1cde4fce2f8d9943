import { errors } from '../../api/index.ts'
import { componentStatusVerbs } from '../component-statuses.ts'
import { managerOf } from '../registry/ownership.ts'
import type { Call, Registry } from '../registry/registry.ts'
import { verbs } from '../registry/verbs.ts'
import { createOnlyVerbs, type ReviewOptions } from '../reviews/index.ts'
import { type SubresourceOptions, subresourceVerbs } from '../subresources/index.ts'
import type { Context, Handler, RequestInfo } from './context.ts'

/** What answers requests for resources: a verb, of the resource or of one of its subresources. */
export function resourceHandler(registry: Registry, options: ReviewOptions & SubresourceOptions): Handler {
  const createOnly = createOnlyVerbs(options)
  const subresourceVerb = subresourceVerbs(options)
  return context => {
    const { info, query, warnings, user } = context
    const resource = context.resource!
    if (!resource.namespaced && info.namespace && info.resource !== 'namespaces') throw errors.noRoute()
    const shown = registry.served(resource)
    const call: Call = {
      served: shown.conversion ? registry.served(shown.conversion.stored) : shown,
      shown,
      subresource: info.subresource,
      namespace: resource.namespaced ? info.namespace : '',
      name: info.name,
      user,
      dryRun: isDryRun(query),
      warnings,
      manager: WRITES.has(info.verb) ? managerOf(context) : undefined,
      options: { query, patch: info.verb === 'patch' },
    }
    if (shown.custom?.deprecation) warnings.push(shown.custom.deprecation)
    const handler = info.subresource ? subresourceVerb(info, resource) : (createOnly(info) ?? verbsOf(info)[info.verb])
    if (!handler || !isServed(context)) throw errors.methodNotAllowed()
    return handler(registry, call, context)
  }
}

/** Of ComponentStatuses nothing is kept. */
const verbsOf = ({ group, resource }: RequestInfo) =>
  group === '' && resource === 'componentstatuses' ? componentStatusVerbs : verbs

const WRITES = new Set(['create', 'update', 'patch'])

/** Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateDryRun */
function isDryRun(query: URLSearchParams): boolean {
  const wanted = query.getAll('dryRun').filter(value => value !== '')
  const wrong = wanted.find(value => value !== 'All')
  if (wrong !== undefined)
    throw errors.invalid({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [
      { type: 'NotSupported', field: 'dryRun', value: wanted, detail: 'supported values: "All"' },
    ])
  return wanted.length > 0
}

/** Whether discovery lists the verb, and the path is one for it: to create there is no name, to change there is one. */
function isServed({ info, resource }: Context): boolean {
  if (info.subresource) return true
  if (info.verb === 'create' && info.parts.length > 1) return false
  if ((info.verb === 'update' || info.verb === 'patch') && !info.name) return false
  return resource!.verbs.includes(info.verb)
}
