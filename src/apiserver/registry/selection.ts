import { errors, FieldSelector, type KubeObject, LabelSelector } from '../../api/index.ts'
import type { Bytes, Entry } from '../../store/index.ts'
import { decodeEntry, type Served } from './served.ts'

/** What selectors read of an object. */
export interface Selectable {
  labels: Record<string, string>
  fields: Record<string, string>
}

/** Read at the first question and remembered beside the bytes, for as long as the store keeps those at hand. */
const known = new WeakMap<Bytes, Selectable>()

const selectableOf = ({ strategy }: Served, object: KubeObject): Selectable => ({
  labels: object.metadata.labels ?? {},
  fields: {
    ...strategy.fields?.(object),
    'metadata.name': object.metadata.name,
    'metadata.namespace': object.metadata.namespace ?? '',
  },
})

function selectable(served: Served, entry: Entry): Selectable {
  if (served.conversion) return selectableOf(served, served.conversion.fromStored(decodeEntry(entry)))
  const found = known.get(entry.value)
  if (found) return found
  const made = selectableOf(served, decodeEntry(entry))
  known.set(entry.value, made)
  return made
}

/** What one request selects. */
export interface Selection {
  /** True when nothing was asked, so that nothing need be read. */
  everything: boolean
  /** Set when only one object can match. */
  name?: string
  matches(entry: Entry): boolean
}

const EVERYTHING: Selection = { everything: true, matches: () => true }

/** Reads `labelSelector` and `fieldSelector`; `only`: the one object that the path names. Throws a 400. */
export function selection(served: Served, query: URLSearchParams, only?: string): Selection {
  const labelText = query.get('labelSelector')
  const fieldText = only ? `metadata.name=${only}` : query.get('fieldSelector')
  if (!labelText && !fieldText) return EVERYTHING
  const labels = parsed(() => LabelSelector.parse(labelText ?? ''))
  const fields = parsed(() => FieldSelector.parse(fieldText ?? ''))
  for (const { key } of fields.requirements) checkField(served, key)
  const name = fields.exact('metadata.name')
  return {
    everything: false,
    ...(name === undefined ? {} : { name }),
    matches(entry) {
      const { labels: has, fields: shows } = selectable(served, entry)
      return labels.matches(has) && fields.matches(shows)
    },
  }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw errors.badRequest((error as Error).message)
  }
}

const COMMON_FIELDS = ['metadata.name', 'metadata.namespace']

/** Source: k8s.io/apimachinery/pkg/runtime DefaultMetaV1FieldSelectorConversion, and each group's own */
function checkField({ strategy, codec }: Served, key: string): void {
  if (COMMON_FIELDS.includes(key)) return
  if (!strategy.fields)
    throw errors.badRequest(
      `${JSON.stringify(key)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    )
  if (!(key in strategy.fields(codec.decode({}).object))) throw errors.badRequest(`field label not supported: ${key}`)
}
