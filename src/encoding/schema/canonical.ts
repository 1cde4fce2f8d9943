/** JSON with the keys of every object in their order, as Go writes maps. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return scalarJson(value)
  let text = ''
  if (Array.isArray(value)) {
    for (const item of value) text += `${text ? ',' : '['}${canonicalJson(item)}`
    return text ? `${text}]` : '[]'
  }
  const object = value as Record<string, unknown>
  for (const key of Object.keys(object).sort()) {
    if (object[key] !== undefined) text += `${text ? ',' : '{'}${scalarJson(key)}:${canonicalJson(object[key])}`
  }
  return text ? `${text}}` : '{}'
}

/** Halves of surrogate pairs, which UTF-8 cannot carry, become U+FFFD as in Go. */
const scalarJson = (value: unknown): string =>
  JSON.stringify(typeof value === 'string' && !value.isWellFormed() ? value.toWellFormed() : value) ?? 'null'
