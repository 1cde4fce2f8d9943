import type { JsonSchema } from '../../../encoding/index.ts'

export type FoundField = { problem: string } | { schema: JsonSchema; path: string }

const TOKEN = /'(?:\\.|[^'\\])*'|[.[\]]|[^.[\]']+/g

/**
 * The field that a path of names leads to: `.spec.color`, and with `brackets` also `['a.b']` for names that are no words and
 * for the keys of maps. `path` is as field errors write it.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel ValidFieldPath
 */
export function fieldAt(root: JsonSchema, text: string, brackets: boolean): FoundField {
  const tokens = text.match(TOKEN) ?? []
  let schema = root
  let path = ''
  for (let index = 0; index < tokens.length; ) {
    const opening = tokens[index++]
    if (opening !== '.' && opening !== '[') return { problem: `expected [ or . but got: ${opening}` }
    if (opening === '[' && !brackets) return { problem: 'array notation is not allowed' }
    const token = tokens[index++]
    if (token === undefined) return { problem: 'unexpected end of JSON path' }
    if (opening === '[' && !token.startsWith("'")) return { problem: `expected single quoted string but got ${token}` }
    const name = opening === '[' ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token
    const { properties, additionalProperties } = schema
    const declared: JsonSchema | undefined = properties
      ? Object.hasOwn(properties, name)
        ? properties[name]
        : undefined
      : typeof additionalProperties === 'object'
        ? additionalProperties
        : undefined
    if (!declared) return { problem: 'does not refer to a valid field' }
    path = properties ? (path ? `${path}.${name}` : name) : `${path}[${name}]`
    schema = declared
    if (opening !== '[') continue
    const closing = tokens[index++]
    if (closing === undefined) return { problem: 'unexpected end of JSON path' }
    if (closing !== ']') return { problem: `expected ] but got ${closing}` }
  }
  return { schema, path }
}
