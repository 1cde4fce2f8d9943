import { scanJson } from './scan.ts'

export interface ParsedJson {
  value: unknown
  /** Keys that occur twice in one object, as strict validation names them: `spec.containers[0].name`. */
  duplicates: string[]
  /** Of YAML the same, as its parser has it: `line 3: key "name" already set in map`. */
  repeated?: string[]
}

/** A body that is not JSON (or not YAML); the API answers it with 400 BadRequest. */
export class SyntaxProblem extends Error {
  override name = 'SyntaxProblem'
}

/**
 * Deeper nesting is refused. Upstream's limit is 10,000, which no object comes near; this one leaves room on the stack
 * for everything that later walks the value.
 */
export const MAX_DEPTH = 1000

/** It would be counted in the value and not in the text. */
const ESCAPED_COLON = /\\u003a/i

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Reads JSON. Throws a SyntaxProblem whose message is that of Go's decoder. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  const text = decodeText(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new SyntaxProblem(scanJson(text, MAX_DEPTH).problem ?? 'unexpected end of JSON input')
  }
  const { keys, deepest } = survey(value)
  if (deepest > MAX_DEPTH) throw new SyntaxProblem(scanJson(text, MAX_DEPTH).problem ?? 'exceeded max depth')
  // An object's later key replaces the earlier one, so that a key is missing from the value when one was repeated.
  const certain = countColons(text) === keys && !ESCAPED_COLON.test(text)
  const duplicates = certain ? [] : scanJson(text, MAX_DEPTH).duplicates
  return { value, duplicates }
}

/**
 * What strict validation says of a text that repeats fields and has unknown ones (`unknown field "spec.foo"`), in the order
 * of the document. Upstream passes over an unknown field with all that is in it, and sees nothing repeated there.
 */
export function strictProblems(bytes: Uint8Array, unknown: string[]): string[] {
  const passedOver: string[] = []
  const isWithin = (path: string, field: string) =>
    path.startsWith(field) && ['', '.', '['].includes(path.charAt(field.length))
  const found = new Set<string>()
  scanJson(decodeText(bytes), MAX_DEPTH, (path, repeats) => {
    if (passedOver.some(field => isWithin(path, field))) return
    const problem = `unknown field "${path}"`
    if (unknown.includes(problem)) {
      passedOver.push(path)
      found.add(problem)
    } else if (repeats) found.add(`duplicate field "${path}"`)
  })
  return [...found]
}

/** As Go reads it: what is no UTF-8 becomes U+FFFD. */
export const decodeText = (bytes: Uint8Array): string => decoder.decode(bytes)

/** How many keys a value has in all its objects, colons within strings counted as well, and how deep it is nested. */
function survey(value: unknown): { keys: number; deepest: number } {
  const found = { keys: 0, deepest: 0 }
  walk(value, 1, found)
  return found
}

function walk(value: unknown, depth: number, found: { keys: number; deepest: number }): void {
  if (typeof value === 'string') found.keys += countColons(value)
  if (typeof value !== 'object' || value === null) return
  if (depth > found.deepest) found.deepest = depth
  if (depth > MAX_DEPTH) return
  if (Array.isArray(value)) {
    for (const item of value) walk(item, depth + 1, found)
    return
  }
  for (const key in value) {
    found.keys += 1 + countColons(key)
    walk((value as Record<string, unknown>)[key], depth + 1, found)
  }
}

function countColons(text: string): number {
  let count = 0
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) count++
  return count
}
