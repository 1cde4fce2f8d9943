import { hasFormat, type JsonSchema } from '../../../encoding/index.ts'
import type { Definition } from '../conversion.ts'

type Spec = Definition['spec']

/**
 * Warns of formats that nothing is checked for, but for those that were there before.
 * Source: k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go WarningsOnCreate
 */
export function formatWarnings(spec: Spec, old?: Spec): string[] {
  const before = new Set(old ? unknownFormats(old) : [])
  return unknownFormats(spec)
    .filter(format => !before.has(format))
    .map(format => `unrecognized format ${JSON.stringify(format)}`)
}

/** What all versions have in common is looked at once. */
function unknownFormats({ versions = [] }: Spec): string[] {
  const texts = new Map(versions.map(({ schema }) => [JSON.stringify(schema), schema]))
  return [...(texts.size === 1 ? texts.values() : versions.map(({ schema }) => schema))].flatMap(schema =>
    schema?.openAPIV3Schema ? unknownIn(schema.openAPIV3Schema as JsonSchema) : [],
  )
}

function unknownIn(schema: JsonSchema): string[] {
  const { type, format, items, properties = {}, additionalProperties, allOf = [], anyOf = [], oneOf = [], not } = schema
  const below = [items, ...allOf, ...anyOf, ...oneOf, not, ...Object.values(properties), additionalProperties]
  return [
    ...(format && !hasFormat(type, format) ? [format] : []),
    ...below.flatMap(each => (each && typeof each === 'object' ? unknownIn(each) : [])),
  ]
}
