import { apiVersion, type Resource } from '../api/index.ts'
import type { Ref } from './client.ts'

/** `/api/v1/namespaces/NS/pods/NAME/status`; without a name the collection, without a namespace all of them. */
export function resourcePath(type: Resource, ref: Partial<Ref> = {}, subresource?: string): string {
  const segments = [type.group ? 'apis' : 'api', apiVersion(type)]
  if (type.namespaced && ref.namespace) segments.push('namespaces', encodeURIComponent(ref.namespace))
  segments.push(type.resource)
  if (ref.name !== undefined) segments.push(encodeURIComponent(ref.name))
  if (subresource) segments.push(subresource)
  return `/${segments.join('/')}`
}

/** `?a=1&b=x` of what is set. `false` and empty text count as not set. */
export function queryString(parameters: Record<string, string | number | boolean | undefined>): string {
  const set = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '' && value !== false)
  if (set.length === 0) return ''
  return `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)]))}`
}
