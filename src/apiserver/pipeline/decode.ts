import { apiVersion, errors, type KubeObject, type StatusError } from '../../api/index.ts'
import {
  type Codec,
  DecodeError,
  hasProtobuf,
  type ParsedJson,
  parseJson,
  parseProtobuf,
  parseYaml,
  SyntaxProblem,
  strictProblems,
} from '../../encoding/index.ts'
import { JSON_TYPE, MEDIA_TYPES, PROTOBUF_TYPE, YAML_TYPE } from './formats.ts'
import { checkKind, type Expected, unfit } from './object-kind.ts'

export { type Expected, jsonName, notAnObject } from './object-kind.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** The media type of a body, without its parameters; JSON when the client does not say. */
export const mediaType = (header: string | undefined): string =>
  header ? header.split(';', 1)[0]!.trim().toLowerCase() : 'application/json'

/** A body as JSON, of the model's type `model`. Rejects with 415 for a media type that no object comes in. */
export async function parseBody(body: Buffer, contentType: string | undefined, model: string): Promise<ParsedJson> {
  const type = mediaType(contentType)
  if (type === JSON_TYPE) return parseJson(body)
  if (type === YAML_TYPE) return parseYaml(body)
  if (type === PROTOBUF_TYPE && hasProtobuf(model)) return parseProtobuf(body, model)
  throw errors.unsupportedMediaType(MEDIA_TYPES.filter(type => type !== PROTOBUF_TYPE || hasProtobuf(model)))
}

/** Reads `fieldValidation`, which is `Warn` unless the client says otherwise. Rejects with 422. */
export function fieldValidation(query: URLSearchParams, options: string): FieldValidation {
  const wanted = query.get('fieldValidation')
  if (!wanted) return 'Warn'
  if (wanted === 'Ignore' || wanted === 'Warn' || wanted === 'Strict') return wanted
  throw errors.invalid({ group: 'meta.k8s.io', kind: options }, '', [
    {
      type: 'NotSupported',
      field: 'fieldValidation',
      value: wanted,
      detail: 'supported values: "", "Ignore", "Strict", "Warn"',
    },
  ])
}

/**
 * A body as an object of the expected kind, with the plain defaults filled in. A body may leave its kind and version out.
 * Rejects with 400 in the words of upstream's decoder.
 */
export async function decodeBody<T extends KubeObject>(
  body: Buffer,
  contentType: string | undefined,
  expected: Expected,
  codec: Codec<T>,
  validation: FieldValidation,
  warnings: string[],
): Promise<T> {
  let parsed: ParsedJson
  try {
    parsed = await parseBody(body, contentType, expected.type)
  } catch (error) {
    if (error instanceof DecodeError) throw unfit(expected, expected.kind, error.message)
    if (!(error instanceof SyntaxProblem)) throw error
    const json = mediaType(contentType) === JSON_TYPE
    throw unrecognized(expected, `${json ? "couldn't get version/kind; json parse error: " : ''}${error.message}`, body)
  }
  return decodeValue(parsed, expected, codec, validation, warnings, body)
}

/**
 * As `decodeBody`, for a value that is parsed already; `body` is only quoted. What is wrong with the value's fields
 * `refuse` makes an answer of, where 400 is not the one to give.
 */
export function decodeValue<T extends KubeObject>(
  { value, duplicates, repeated, noticed = [] }: ParsedJson & { noticed?: string[] },
  expected: Expected,
  codec: Codec<T>,
  validation: FieldValidation,
  warnings: string[],
  body: Buffer,
  refuse?: (detail: string) => StatusError,
): T {
  const unknown = refuse ?? ((detail: string) => unrecognized(expected, detail, body))
  const asked = checkKind(value, expected, body, codec.ofOneKind ?? false, unknown)
  const wrong = refuse ?? ((detail: string) => unfit(expected, asked, detail))
  try {
    const { object, strict } = codec.decode(value)
    const strictly = validation === 'Strict'
    const twice = repeated ? inYaml(repeated, strictly) : duplicates.map(field => `duplicate field "${field}"`)
    // Of a built-in type upstream's decoder comes upon both as it goes through the text.
    const mixed = !refuse && duplicates.length && strict.length && hasProtobuf(expected.type)
    const found = mixed ? strictProblems(body, strict) : [...twice, ...(refuse ? strict.sort() : strict)]
    const problems = validation === 'Ignore' ? [] : [...noticed, ...found]
    if (problems.length && strictly) throw wrong(`strict decoding error: ${problems.join(', ')}`)
    warnings.push(...problems)
    object.kind = expected.kind
    object.apiVersion = apiVersion(expected)
    if (hasProtobuf(expected.type) && forgetsOwners(value as Partial<KubeObject> | null))
      object.metadata.managedFields = []
    codec.default(object)
    return object
  } catch (error) {
    throw error instanceof DecodeError ? wrong(error.message) : error
  }
}

/** What the parser of YAML says of keys that are given twice, which is one error and several warnings. */
const inYaml = (repeated: string[], asError: boolean): string[] =>
  asError && repeated.length ? [`yaml: unmarshal errors:\n  ${repeated.join('\n  ')}`] : repeated

/** An empty list of owners says something in a built-in type, where empty lists say nothing else. */
const forgetsOwners = (value: Partial<KubeObject> | null) => value?.metadata?.managedFields?.length === 0

const unrecognized = ({ kind }: Expected, detail: string, body: Buffer) =>
  errors.badRequest(`the object provided is unrecognized (must be of type ${kind}): ${detail} (${summary(body)})`)

const SUMMARY = 30

/** The beginning of a body: as it is when it looks like JSON, else in hexadecimal. */
function summary(body: Buffer): string {
  if (!body.length) return '<empty>'
  const shown = body.subarray(0, SUMMARY)
  return `${body[0] === 0x7b ? shown : shown.toString('hex')}${body.length > SUMMARY ? ' ...' : ''}`
}
