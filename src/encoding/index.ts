/** Bytes to objects and back. Everything here is driven by the API model, so it works for every kind. */
export { type Codec, codecFor, type Decoded, DecodeError } from './codec.ts'
export { type ParsedJson, parseJson, SyntaxProblem, strictProblems } from './json.ts'
export { encodeMessage } from './protobuf/encode.ts'
export {
  encodeProtobuf,
  envelope,
  hasProtobuf,
  listEnvelope,
  listItem,
  listItemSize,
  parseProtobuf,
  watchFrame,
} from './protobuf/envelope.ts'
export { WireWriter } from './protobuf/wire-writer.ts'
export { time as readTime } from './scalars.ts'
export { canonicalJson } from './schema/canonical.ts'
export { type SchemaCodecOptions, schemaCodec } from './schema/codec.ts'
export { defaulterOf } from './schema/defaults.ts'
export { hasFormat } from './schema/formats.ts'
export { type CheckMetadata, structureProblems } from './schema/lists.ts'
export { Findings, prune, pruneDefault } from './schema/prune.ts'
export {
  child,
  fieldSchema,
  isObject,
  itemKey,
  type JsonObject,
  type JsonSchema,
  type ValidationRule,
} from './schema/schema.ts'
export { byKeys, type CompilePattern, checkOf, type Pattern } from './schema/validate.ts'
export { conversionProblem } from './unstructured.ts'
export { parseYaml } from './yaml.ts'
