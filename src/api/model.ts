import { readFileSync } from 'node:fs'

/** How a value looks in JSON, and what is checked about it. */
export type Kind =
  | 'struct'
  | 'list'
  | 'map'
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float64'
  /** Base64 in JSON. */
  | 'bytes'
  /** RFC 3339 in UTC, whole seconds. */
  | 'time'
  /** RFC 3339 in UTC with six decimals. */
  | 'microTime'
  /** A Go duration: `1m30s`. */
  | 'duration'
  | 'quantity'
  | 'intOrString'
  /** Any JSON. */
  | 'raw'
  /** One of `choices`, told apart by how it looks in JSON. */
  | 'union'

export interface ValueModel {
  kind: Kind
  /** The model's name of it: `core/v1.PodSpec`, `core/v1.Protocol`, `string`; of a list or a map, that of its items. */
  type: string
  /** How Go names it, as its decoding errors do: `v1.PodSpec`, `[]v1.Container`, `int32`. */
  goType: string
  /** Of a list or a map. */
  items?: ValueModel
  /** Of a union. */
  choices?: ValueModel[]
  /** Of a string: the closed set it is from. */
  enum?: string[]
}

export interface FieldModel extends ValueModel {
  /** In JSON. */
  name: string
  required: boolean
  omitempty: boolean
  /** Absent differs from zero. */
  pointer: boolean
  default?: string | number | boolean
  patchStrategy?: string
  patchMergeKey?: string
  listType?: 'atomic' | 'set' | 'map'
  listMapKeys?: string[]
  mapType?: 'atomic' | 'granular'
  structType?: 'atomic' | 'granular'
  featureGate?: string
  /** The protobuf field number, and the wire kind: `bytes`, `varint`. A field that protobuf does not carry has no number. */
  tag?: number
  wire?: string
  /** The protobuf field numbers of the structs around it that JSON inlines, outermost first. */
  within: number[]
  /** The structs that Go embeds it by, whose fields JSON lifts into the outer one. */
  embedded?: string[]
}

export interface TypeModel {
  /** `core/v1.PodSpec` */
  name: string
  /** `PodSpec` */
  goName: string
  /** In their declared order, which is also the order of JSON; the fields of inlined structs stand in their place. */
  fields: FieldModel[]
  field(name: string): FieldModel | undefined
  structType?: 'atomic' | 'granular'
  union?: boolean
}

export interface Model {
  /** Throws when there is no such struct. */
  type(name: string): TypeModel
  has(name: string): boolean
  /** Reads the model from somewhere else than beside this module; only before the first use. */
  source(file: URL | string): void
}

interface RawField
  extends Partial<Omit<FieldModel, 'kind' | 'goType' | 'items' | 'choices' | 'enum' | 'within' | 'embedded'>> {
  name: string
  type: string
  inline?: boolean
  repeated?: boolean
  map?: string
}

interface RawType {
  fields: RawField[]
  structType?: 'atomic' | 'granular'
  union?: boolean
}

interface Alias {
  type: string
  repeated?: boolean
  map?: string
}

const SCALARS: Record<string, Kind> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  float64: 'float64',
  bytes: 'bytes',
  'types.UID': 'string',
  'types.NodeName': 'string',
  'meta/v1.Time': 'time',
  'meta/v1.MicroTime': 'microTime',
  'meta/v1.Duration': 'duration',
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'intOrString',
  'meta/v1.FieldsV1': 'raw',
  'runtime.RawExtension': 'raw',
  'runtime.Object': 'raw',
  'apiextensions/v1.JSON': 'raw',
  'apiextensions/v1beta1.JSON': 'raw',
  'interface{}': 'raw',
}

const stringFields = (...names: string[]): RawType => ({
  fields: names.map((name, index) => ({ name, type: 'string', required: true, tag: index + 1, wire: 'bytes' })),
})

/** Structs that the model's file mentions without declaring them. */
const UNDECLARED: Record<string, RawType> = {
  'meta/v1.GroupVersionKind': stringFields('group', 'version', 'kind'),
  'meta/v1.GroupVersionResource': stringFields('group', 'version', 'resource'),
  'meta/v1.GroupResource': stringFields('group', 'resource'),
}

/** Defaults that the file names by a Go constant. */
const CONSTANTS: Record<string, string> = {
  'ref(AzureDataDiskCachingReadWrite)': 'ReadWrite',
  'ref(AzureSharedBlobDisk)': 'Shared',
}

/**
 * The file, of which only the line of a type in use is ever parsed: it has one type a line, so that an index of the
 * lines is all that start-up pays for.
 */
class ModelFile {
  readonly aliases: Record<string, Alias>
  readonly enums: Record<string, string[]>
  readonly #text: string
  readonly #lines = new Map<string, number>()

  constructor(file: URL | string) {
    this.#text = readFileSync(file, 'latin1')
    const types = this.#text.indexOf('"types": {')
    const aliases = this.#text.indexOf('\n"aliases": {')
    for (let start = this.#text.indexOf('\n', types) + 1; start < aliases; start = this.#text.indexOf('\n', start) + 1)
      if (this.#text[start] === '"')
        this.#lines.set(this.#text.slice(start + 1, this.#text.indexOf('"', start + 1)), start)
    const rest: Pick<ModelFile, 'aliases' | 'enums'> = JSON.parse(`{${this.#text.slice(aliases)}`)
    this.aliases = rest.aliases
    this.enums = rest.enums
  }

  has(type: string): boolean {
    return this.#lines.has(type)
  }

  read(type: string): RawType | undefined {
    const start = this.#lines.get(type)
    if (start === undefined) return UNDECLARED[type]
    const line = this.#text.slice(start + type.length + 3, this.#text.indexOf('\n', start)).trim()
    return JSON.parse(line.endsWith(',') ? line.slice(0, -1) : line)
  }
}

let location: URL | string = new URL('./model.json', import.meta.url)
let opened: ModelFile | undefined
const file = () => {
  opened ??= new ModelFile(location)
  return opened
}
const types = new Map<string, TypeModel>()

/** The types of the API at release 1.36, read at first use. */
export const model: Model = {
  type(name) {
    let type = types.get(name)
    if (!type) {
      type = resolve(name)
      types.set(name, type)
    }
    return type
  },
  has: name => name in UNDECLARED || file().has(name),
  source(from) {
    if (opened) throw new Error('the API model is already in use')
    location = from
  },
}

const withoutGroup = (name: string) => name.slice(name.lastIndexOf('/') + 1)

function resolve(name: string): TypeModel {
  const alias = file().aliases[name]
  if (alias) return model.type(alias.type)
  const raw = file().read(name)
  if (!raw) throw new Error(`the API model has no type ${name}`)
  const fields = raw.fields.flatMap(field => resolveField(field, [], []))
  const byName = new Map(fields.map(field => [field.name, field]))
  return {
    name,
    goName: name.slice(name.lastIndexOf('.') + 1),
    fields,
    field: wanted => byName.get(wanted),
    structType: raw.structType,
    union: raw.union,
  }
}

function resolveField(raw: RawField, within: number[], embedded: string[]): FieldModel[] {
  const { inline, repeated, map, type, ...facts } = raw
  if (inline) {
    const inner = file().read(file().aliases[type]?.type ?? type)
    if (!inner) throw new Error(`the API model inlines ${type}, which it does not have`)
    // Without a number of its own it is not on the wire: the envelope says kind and version.
    const names = [...embedded, withoutGroup(type).split('.').at(-1)!]
    if (raw.tag === undefined) return inner.fields.flatMap(({ tag: _, ...field }) => resolveField(field, within, names))
    return inner.fields.flatMap(field => resolveField(field, [...within, raw.tag!], names))
  }
  const field: FieldModel = {
    ...facts,
    ...resolveValue({ type, repeated, map }),
    required: raw.required ?? false,
    omitempty: raw.omitempty ?? false,
    pointer: raw.pointer ?? false,
    within,
    ...(embedded.length ? { embedded } : {}),
  }
  if (typeof raw.default === 'string') field.default = CONSTANTS[raw.default] ?? raw.default
  return [field]
}

function resolveValue({ type, repeated, map }: Alias): ValueModel {
  if (repeated || map) {
    const items = resolveValue({ type })
    const goType = repeated ? `[]${items.goType}` : `map[${withoutGroup(map!)}]${items.goType}`
    return { kind: repeated ? 'list' : 'map', type: items.type, goType, items }
  }
  const goType = type === 'bytes' ? '[]uint8' : withoutGroup(type)
  const scalar = SCALARS[type]
  if (scalar) return { kind: scalar, type, goType }
  const alias = file().aliases[type]
  if (alias) return resolveAlias(type, goType, alias)
  const choices = unionChoices(type)
  if (choices) return { kind: 'union', type, goType, choices }
  return { kind: 'struct', type, goType }
}

function resolveAlias(name: string, goType: string, alias: Alias): ValueModel {
  const value = { ...resolveValue(alias), goType }
  if (value.kind !== 'string') return value
  return { ...value, type: name, enum: file().enums[name] ?? file().enums[alias.type] }
}

/** The three places of a JSON schema where a schema may also be something else. */
function unionChoices(type: string): ValueModel[] | undefined {
  const [, version, other] = /^apiextensions\/(v1|v1beta1)\.JSONSchemaPropsOr(Bool|Array|StringArray)$/.exec(type) ?? []
  if (!version || !other) return undefined
  const schema = `apiextensions/${version}.JSONSchemaProps`
  const alternatives: Record<string, Alias> = {
    Bool: { type: 'bool' },
    Array: { type: schema, repeated: true },
    StringArray: { type: 'string', repeated: true },
  }
  return [resolveValue({ type: schema }), resolveValue(alternatives[other]!)]
}
