import { type core, podResources, quantity, type ResourceList } from '../../api/index.ts'
import { type AdmissionPlugin, type Attributes, forbidden } from './admission.ts'
import type { ByNamespace } from './by-namespace.ts'

/** Limits on single pods and claims. Source: k8s.io/kubernetes/plugin/pkg/admission/limitranger */

const ANNOTATION = 'kubernetes.io/limit-ranger'

type Needs = Pick<core.ResourceRequirements, 'requests' | 'limits'>

export const limitRanger = (ranges: Pick<ByNamespace<core.LimitRange>, 'of'>): AdmissionPlugin => ({
  name: 'LimitRanger',
  mutate(attributes) {
    const found = ranges.of(attributes.namespace)
    if (!found.length || !concerns(attributes) || attributes.resource.resource !== 'pods') return
    for (const range of found) setDefaults(attributes.object as core.Pod, range)
  },
  validate(attributes) {
    const found = ranges.of(attributes.namespace)
    if (!found.length || !concerns(attributes)) return
    const { resource, object } = attributes
    for (const { spec } of found) {
      const items = spec.limits ?? []
      const problems =
        resource.resource === 'pods' ? podProblems(object as core.Pod, items) : claimProblems(object as Claim, items)
      if (problems.length) throw forbidden(attributes, together(problems))
    }
  },
})

type Claim = core.PersistentVolumeClaim

/** New pods and those that are resized, and every write of a claim. What is going away may be as it is. */
function concerns({ resource, operation, subresource, old }: Attributes): boolean {
  if (resource.group || old?.metadata.deletionTimestamp) return false
  const { resource: name } = resource
  if (operation === 'UPDATE' && subresource === 'resize') return name === 'pods'
  if (subresource) return false
  if (operation === 'CREATE') return name === 'pods' || name === 'persistentvolumeclaims'
  return operation === 'UPDATE' && name === 'persistentvolumeclaims'
}

/** As Go shows several errors as one. Source: k8s.io/apimachinery/pkg/util/errors Aggregate */
function together(problems: string[]): string {
  const distinct = [...new Set(problems)]
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`
}

/** Gives the pod's containers what they do not say of themselves, and notes it in an annotation. */
function setDefaults({ metadata, spec }: core.Pod, range: core.LimitRange): void {
  const items = (range.spec.limits ?? []).filter(({ type }) => type === 'Container')
  const requests: ResourceList = Object.assign({}, ...items.map(item => item.defaultRequest))
  const limits: ResourceList = Object.assign({}, ...items.map(item => item.default))
  const notes: string[] = []
  const complete = (container: core.Container, called: string) => {
    container.resources ??= {}
    const { resources: needs } = container
    const set = { request: fill(needs, 'requests', requests), limit: fill(needs, 'limits', limits) }
    for (const [what, names] of Object.entries(set))
      if (names.length) notes.push(`${names.join(', ')} ${what} for ${called} ${container.name}`)
  }
  for (const container of spec.containers ?? []) complete(container, 'container')
  for (const container of spec.initContainers ?? []) complete(container, 'init container')
  if (!notes.length) return
  metadata.annotations = { ...metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` }
}

/** The names of what was not there, sorted. */
function fill(needs: Needs, kind: keyof Needs, defaults: ResourceList): string[] {
  const missing = Object.keys(defaults).filter(name => needs[kind]?.[name] === undefined)
  for (const name of missing) needs[kind] = { ...needs[kind], [name]: defaults[name]! }
  return missing.sort()
}

/** Of the pod as a whole only these count in place of its containers'. */
const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory'

function podProblems({ spec }: core.Pod, items: core.LimitRangeItem[]): string[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])]
  return items.flatMap(item => {
    if (item.type === 'Container') return containers.flatMap(({ resources }) => problemsOf(item, resources))
    if (item.type !== 'Pod') return []
    const requests = podResources(spec, 'requests', { isPodLevel })
    return problemsOf(item, { requests, limits: podResources(spec, 'limits', { isPodLevel }) })
  })
}

function problemsOf(item: core.LimitRangeItem, needs: Needs): string[] {
  return [
    ...each(item.min, (name, least) => tooLittle(item.type, name, least, needs)),
    ...each(item.max, (name, most) => tooMuch(item.type, name, most, needs)),
    ...each(item.maxLimitRequestRatio, (name, most) => tooUneven(item.type, name, most, needs)),
  ]
}

/** A claim has requests alone. */
const claimProblems = ({ spec }: Claim, items: core.LimitRangeItem[]): string[] =>
  items
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap(({ type, min, max }) => {
      const { requests } = spec.resources
      return [
        ...each(min, (name, least) => tooLittle(type, name, least, { requests })),
        ...each(max, (name, most) => {
          const text = `maximum ${name} usage per ${type} is ${most}`
          const request = requests?.[name]
          if (request === undefined) return `${text}.  No request is specified`
          return quantity.compare(request, most) > 0 ? `${text}, but request is ${request}` : undefined
        }),
      ]
    })

/** What is wrong with any of the amounts, in the order of their names; upstream has none. */
const each = (list: ResourceList | undefined, check: (name: string, amount: string) => string | undefined): string[] =>
  Object.keys(list ?? {})
    .sort()
    .flatMap(name => check(name, list![name]!) ?? [])

function tooLittle(type: string, name: string, least: string, { requests, limits }: Needs): string | undefined {
  const text = `minimum ${name} usage per ${type} is ${least}`
  const [request, limit] = [requests?.[name], limits?.[name]]
  if (request === undefined) return `${text}.  No request is specified`
  if (quantity.compare(request, least) < 0) return `${text}, but request is ${request}`
  return limit !== undefined && quantity.compare(limit, least) < 0 ? `${text}, but limit is ${limit}` : undefined
}

function tooMuch(type: string, name: string, most: string, { requests, limits }: Needs): string | undefined {
  const text = `maximum ${name} usage per ${type} is ${most}`
  const [request, limit] = [requests?.[name], limits?.[name]]
  if (limit === undefined) return `${text}.  No limit is specified`
  if (quantity.compare(limit, most) > 0) return `${text}, but limit is ${limit}`
  return request !== undefined && quantity.compare(request, most) > 0 ? `${text}, but request is ${request}` : undefined
}

function tooUneven(type: string, name: string, most: string, { requests, limits }: Needs): string | undefined {
  const text = `${name} max limit to request ratio per ${type} is ${most}`
  const [request = '0', limit = '0'] = [requests?.[name], limits?.[name]]
  if (quantity.isZero(request)) return `${text}, but no request is specified or request is 0`
  if (quantity.isZero(limit)) return `${text}, but no limit is specified or limit is 0`
  const ratio = quantity.milliValue(limit) / quantity.milliValue(request)
  return ratio * 1000 > quantity.milliValue(most) ? `${text}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}
