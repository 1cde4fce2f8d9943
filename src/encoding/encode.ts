import { type FieldModel, model, type ValueModel } from '../api/index.ts'
import { dropsZero, isNullable, isZero, zeroOf } from './decode.ts'

/** Writes one value, never null or undefined, as canonical JSON. */
export type Encode = (value: unknown) => string

interface FieldEncoder {
  name: string
  /** `"name":` */
  head: string
  encode: Encode
  dropsZero: boolean
  /** An empty list is as good as none. */
  nullsZero: boolean
  /** What an absent field is written as; empty when it is left out. */
  absent: string
}

const compiled = new Map<string, Encode>()

/** The encoder of one struct of the model, compiled once. */
export function encoderOf(type: string): Encode {
  let encode = compiled.get(type)
  if (!encode) {
    encode = structEncoder(() => model.type(type).fields.map(field => fieldEncoder(field, type)))
    compiled.set(type, encode)
  }
  return encode
}

/**
 * The encoder of a whole object. It leaves out metadata.resourceVersion, which the store's revision is and which is
 * spliced in where the bytes are sent.
 */
export const objectEncoder = (type: string): Encode =>
  structEncoder(() =>
    model.type(type).fields.map(field => {
      const encoder = fieldEncoder(field, type)
      if (field.type === 'meta/v1.ObjectMeta' && field.name === 'metadata') encoder.encode = storedMeta
      return encoder
    }),
  )

const storedMeta = structEncoder(() =>
  model
    .type('meta/v1.ObjectMeta')
    .fields.filter(field => field.name !== 'resourceVersion')
    .map(field => fieldEncoder(field, 'meta/v1.ObjectMeta')),
)

function structEncoder(compile: () => FieldEncoder[]): Encode {
  let fields: FieldEncoder[] | undefined
  return value => {
    fields ??= compile()
    const object = value as Record<string, unknown>
    let text = ''
    for (const field of fields) {
      const item = object[field.name]
      const written =
        item === undefined || item === null || (field.nullsZero && isZero(item))
          ? field.absent
          : field.dropsZero && isZero(item)
            ? ''
            : field.encode(item)
      if (written) text += text ? `,${field.head}${written}` : `{${field.head}${written}`
    }
    return text ? `${text}}` : '{}'
  }
}

/** Upstream stores all but these groups in protobuf, which does not tell an empty list from none. */
const keepsNoEmpty = (struct: string): boolean => !/^(apiextensions|apiregistration|authentication)\//.test(struct)

function fieldEncoder(field: FieldModel, struct: string): FieldEncoder {
  return {
    name: field.name,
    head: `${JSON.stringify(field.name)}:`,
    encode: valueEncoder(field),
    dropsZero: dropsZero(field),
    nullsZero: field.kind === 'list' && isNullable(field) && keepsNoEmpty(struct),
    absent: absentText(field),
  }
}

function absentText(field: FieldModel): string {
  if (isNullable(field)) return 'null'
  if (field.pointer) return ''
  if (field.kind === 'list') return field.required && !field.omitempty ? '[]' : ''
  const always = field.kind === 'struct' || field.kind === 'quantity' || field.kind === 'duration' || !field.omitempty
  const zero = always ? zeroOf(field) : undefined
  return zero ? valueEncoder(field)(zero()) : ''
}

function valueEncoder(value: ValueModel): Encode {
  switch (value.kind) {
    case 'struct':
      return encoderOf(value.type)
    case 'list':
      return listEncoder(valueEncoder(value.items!))
    case 'map':
      return mapEncoder(valueEncoder(value.items!))
    case 'union':
      return unionEncoder(value.choices!)
    case 'raw':
    case 'float64':
      return JSON.stringify
    case 'int32':
    case 'int64':
    case 'bool':
      return String
    case 'intOrString':
      return item => (typeof item === 'string' ? quote(item) : String(item))
    default:
      return quote
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what JSON must escape
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/

/** A JSON string. Halves of surrogate pairs, which UTF-8 cannot carry, become U+FFFD as in Go. */
function quote(value: unknown): string {
  const text = value as string
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text.toWellFormed()) : `"${text}"`
}

const listEncoder =
  (encode: Encode): Encode =>
  value => {
    let text = ''
    for (const item of value as unknown[]) text += `${text ? ',' : '['}${item === null ? 'null' : encode(item)}`
    return text ? `${text}]` : '[]'
  }

const mapEncoder =
  (encode: Encode): Encode =>
  value => {
    const map = value as Record<string, unknown>
    let text = ''
    for (const key of Object.keys(map).sort()) {
      const item = map[key]
      if (item === undefined) continue
      text += `${text ? ',' : '{'}${quote(key)}:${item === null ? 'null' : encode(item)}`
    }
    return text ? `${text}}` : '{}'
  }

function unionEncoder(choices: ValueModel[]): Encode {
  const struct = valueEncoder(choices[0]!)
  const other = valueEncoder(choices[1]!)
  return value => (typeof value === 'object' && !Array.isArray(value) ? struct(value) : other(value))
}
