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

const read = (served: Served, entry: Entry): Selectable =>
  selectableOf(served, served.conversion?.fromStored(decodeEntry(entry)) ?? decodeEntry(entry))

function selectable(served: Served, entry: Entry): Selectable {
  if (served.conversion) return read(served, entry)
  const found = known.get(entry.value)
  if (found) return found
  const made = read(served, entry)
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
  /** Those that match of many, of most of which nobody asks again: nothing is remembered of them. */
  filter(entries: Entry[]): Entry[]
}

const EVERYTHING: Selection = { everything: true, matches: () => true, filter: entries => entries }

/** Reads `labelSelector` and `fieldSelector`; `only`: the one object that the path names. Throws a 400. */
export function selection(served: Served, query: URLSearchParams, only?: string): Selection {
  const labelText = query.get('labelSelector')
  const fieldText = only ? `metadata.name=${only}` : query.get('fieldSelector')
  if (!labelText && !fieldText) return EVERYTHING
  const labels = parsed(() => LabelSelector.parse(labelText ?? ''))
  const fields = parsed(() => FieldSelector.parse(fieldText ?? ''))
  for (const { key } of fields.requirements) checkField(served, key)
  const name = fields.exact('metadata.name')
  const accepts = (has: Selectable) => labels.matches(has.labels) && fields.matches(has.fields)
  const texts = served.conversion ? [] : textsOf(labels, fields)
  return {
    everything: false,
    ...(name === undefined ? {} : { name }),
    matches: entry => accepts(selectable(served, entry)),
    filter: entries =>
      entries.filter(
        entry =>
          texts.every(text => holds(entry.value, text)) && accepts(known.get(entry.value) ?? read(served, entry)),
      ),
  }
}

/** What whatever matches must have among its bytes: to look for that costs far less than to decode what does not match. */
function textsOf(labels: LabelSelector, fields: FieldSelector): Buffer[] {
  const texts: string[] = []
  for (const { key, operator, values } of labels.requirements) {
    const isOneOf = operator === '=' || operator === '==' || operator === 'in'
    if (isOneOf && values.length === 1) texts.push(`"${key}":"${values[0]}"`)
    else if (isOneOf || operator === 'exists') texts.push(`"${key}":"`)
  }
  for (const { operator, values } of fields.requirements)
    if (operator === '=' && VERBATIM.test(values[0]!)) texts.push(values[0]!)
  return texts.map(text => Buffer.from(text))
}

/** Names and words, which are written in an object as they are; numbers and booleans may be there only by their absence. */
const VERBATIM = /^(?!(?:true|false)$)(?=.*[A-Za-z])[\w.-]+$/

const holds = ({ buffer, byteOffset, byteLength }: Bytes, text: Buffer): boolean =>
  Buffer.from(buffer, byteOffset, byteLength).includes(text)

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw errors.badRequest((error as Error).message)
  }
}

const COMMON_FIELDS = ['metadata.name', 'metadata.namespace']

/** Source: k8s.io/apimachinery/pkg/runtime DefaultMetaV1FieldSelectorConversion, and each group's own */
function checkField({ strategy, codec, resource }: Served, key: string): void {
  const { group, version, kind, namespaced } = resource
  if (COMMON_FIELDS.includes(key) && (namespaced || !strategy.fields || key === 'metadata.name')) return
  if (!strategy.fields)
    throw errors.badRequest(
      `${JSON.stringify(key)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    )
  const of = group === 'resource.k8s.io' ? ` for ${group}/${version}, Kind=${kind}` : ''
  if (!(key in strategy.fields(codec.decode({}).object)))
    throw errors.badRequest(`field label not supported${of}: ${key}`)
}
