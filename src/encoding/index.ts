/** Bytes to objects and back. Everything here is driven by the API model, so it works for every kind. */
export { codecFor, type Codec, DecodeError } from './codec.ts'
export { parseJson, type ParsedJson } from './json.ts'
export { parseYaml } from './yaml.ts'
