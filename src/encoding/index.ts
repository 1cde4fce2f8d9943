/** Bytes to objects and back. Everything here is driven by the API model, so it works for every kind. */
export { type Codec, codecFor, type Decoded, DecodeError } from './codec.ts'
export { type ParsedJson, parseJson, SyntaxProblem } from './json.ts'
export { WireWriter } from './protobuf/wire-writer.ts'
export { parseProtobuf } from './protobuf.ts'
export { conversionProblem } from './unstructured.ts'
export { parseYaml } from './yaml.ts'
