import { errors } from '../../api/index.ts'
import { memoized } from '../memo.ts'
import type { Context } from '../pipeline/context.ts'
import type { Call, Registry } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import { convertedView } from './converted.ts'
import { metadataView } from './metadata.ts'
import { plainView } from './plain.ts'
import { type IncludeObject, tableView } from './table.ts'
import type { View } from './view.ts'

/** What objects can be answered as, for a 406. */
const MEDIA_TYPES = ['application/json', 'application/yaml']

/** One view for all requests that want it, so that what is made for one watcher serves them all. */
const made = new WeakMap<Served, Map<string, View>>()

function viewOf(served: Served, name: string, make: () => View): View {
  const views = memoized(made, served, () => new Map<string, View>())
  return memoized(views, name, () => (served.conversion ? convertedView(served, make()) : make()))
}

const plain = (served: Served) => viewOf(served, 'plain', () => plainView(served))

/** The first of what the client accepts that there is. Rejects with 406. */
export function chooseView(registry: Registry, { request, query }: Context, { shown: served }: Call): View {
  const { accept } = request.headers
  if (!accept || accept === 'application/json' || accept === '*/*') return plain(served)
  for (const clause of accept.split(',')) {
    const [type, ...parameters] = clause.split(';').map(part => part.trim())
    if (type !== 'application/json' && type !== 'application/yaml' && type !== '*/*' && type !== 'application/*')
      continue
    const { as, g, v } = Object.fromEntries(parameters.map(parameter => parameter.split('=', 2)))
    if (!as) return plain(served)
    if (g !== 'meta.k8s.io' || v !== 'v1') continue
    if (as === 'Table') {
      const include = includeObject(query)
      return viewOf(served, `Table ${include}`, () => tableView(served, include, () => registry.clock.now()))
    }
    if (as.startsWith('PartialObjectMetadata')) return viewOf(served, 'metadata', () => metadataView)
  }
  throw errors.notAcceptable(MEDIA_TYPES)
}

function includeObject(query: URLSearchParams): IncludeObject {
  const wanted = query.get('includeObject') || 'Metadata'
  if (wanted === 'Metadata' || wanted === 'Object' || wanted === 'None') return wanted
  throw errors.badRequest(`unrecognized includeObject value: ${JSON.stringify(wanted)}`)
}
