import { apiVersion, errors } from '../../api/index.ts'
import { hasProtobuf } from '../../encoding/index.ts'
import { memoized } from '../memo.ts'
import { parseAccept, takesIn } from '../pipeline/accept.ts'
import type { Context } from '../pipeline/context.ts'
import {
  MEDIA_TYPES,
  negotiate,
  PROTOBUF_TYPE,
  type Transform,
  takesPlainJson,
  wantsPretty,
  YAML_TYPE,
} from '../pipeline/formats.ts'
import type { Call, Registry } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import { convertedView } from './converted.ts'
import { metadataProtobufView, metadataView } from './metadata.ts'
import { plainView } from './plain.ts'
import { protobufView } from './protobuf.ts'
import { type IncludeObject, tableView } from './table.ts'
import type { View } from './view.ts'

/** What a watch can be answered as, for a 406. */
const STREAM_TYPES = MEDIA_TYPES.filter(type => type !== YAML_TYPE).map(type => `${type};stream=watch`)

/** One view for all requests that want it, so that what is made for one watcher serves them all. */
const made = new WeakMap<Served, Map<string, View>>()

function viewOf(served: Served, name: string, make: () => View): View {
  const views = memoized(made, served, () => new Map<string, View>())
  return memoized(views, name, () => (served.conversion ? convertedView(served, make()) : make()))
}

const plain = (served: Served) => viewOf(served, 'plain', () => plainView(served))

/** The form of objects that the client wants most of those that there are. Rejects with 406. */
export function chooseView(registry: Registry, context: Context, { shown: served }: Call): View {
  if (takesPlainJson(context)) return plain(served)
  const { request, query, info } = context
  const chosen = negotiate(request, (type, transform) => isShown(served, type, transform))
  const watches = info.verb === 'watch'
  if (!chosen || (watches && chosen.type === YAML_TYPE)) throw refused(context, served)
  const { type, transform, pretty } = chosen
  if (type === PROTOBUF_TYPE) return inProtobuf(served, transform)
  const view = inJson(registry, served, transform, query)
  if (type === YAML_TYPE) return { ...view, type, rewrite: 'yaml' }
  return pretty || wantsPretty(request, query) ? { ...view, rewrite: 'pretty' } : view
}

/** No form that is known is one thing, none that this resource can be had in another. */
function refused({ request, info }: Context, { custom }: Served) {
  const watches = info.verb === 'watch'
  const known = parseAccept(request.headers.accept).some(({ type }) => MEDIA_TYPES.some(each => takesIn(type, each)))
  if (!known && !custom) return errors.unrepresentable(watches ? [...MEDIA_TYPES, ...STREAM_TYPES] : MEDIA_TYPES)
  return errors.notAcceptable(watches ? STREAM_TYPES : MEDIA_TYPES)
}

const META_VERSIONS = ['meta.k8s.io/v1', 'meta.k8s.io/v1beta1']

/**
 * Of everything the metadata is there in every form. A Table is none of protobuf's, and neither is a custom resource; what
 * can only be created is none of its rows.
 */
function isShown({ resource }: Served, type: string, transform?: Transform): boolean {
  if (!transform) return type !== PROTOBUF_TYPE || hasProtobuf(resource.type)
  if (!META_VERSIONS.includes(transform.version)) return false
  if (transform.kind === 'Table') return type !== PROTOBUF_TYPE && resource.verbs.includes('get')
  return isMetadata(transform)
}

const isMetadata = ({ kind }: Transform) => kind === 'PartialObjectMetadata' || kind === 'PartialObjectMetadataList'

function inProtobuf(served: Served, transform?: Transform): View {
  if (transform)
    return viewOf(served, `protobuf metadata ${transform.version}`, () => metadataProtobufView(transform.version))
  const { kind, type } = served.resource
  return viewOf(served, 'protobuf', () => protobufView({ apiVersion: apiVersion(served.resource), kind, type }))
}

function inJson({ clock }: Registry, served: Served, transform: Transform | undefined, query: URLSearchParams): View {
  if (!transform) return plain(served)
  const { version } = transform
  if (isMetadata(transform)) return viewOf(served, `metadata ${version}`, () => metadataView(version))
  const include = includeObject(query)
  return viewOf(served, `Table ${version} ${include}`, () => tableView(served, version, include, () => clock.now()))
}

function includeObject(query: URLSearchParams): IncludeObject {
  const wanted = query.get('includeObject') || 'Metadata'
  if (wanted === 'Metadata' || wanted === 'Object' || wanted === 'None') return wanted
  throw errors.badRequest(`unrecognized includeObject value: ${JSON.stringify(wanted)}`)
}
