import type { Document, ParsedNode } from 'yaml'
import { decodeText, MAX_DEPTH, type ParsedJson, SyntaxProblem } from './json.ts'
import { put } from './scalars.ts'

/** Upstream's limit for the body of any request. */
const LARGEST = 3 * 1024 * 1024

/** How many nodes aliases may expand to; a few lines of them can otherwise stand for billions of values. */
const MOST_ALIASES = 1000

const TOO_MANY_ALIASES = 'document contains excessive aliasing'

/** How much there may be once aliases are expanded: a small bomb is still a bomb when it repeats one large text. */
const LARGEST_EXPANDED = 4 * LARGEST

/**
 * Reads the first YAML document as JSON values, as sigs.k8s.io/yaml does: `yes` and `on` are booleans, keys become
 * strings. Throws a SyntaxProblem for text that is not YAML, for aliases that expand beyond reason and for a body over
 * 3 MiB.
 */
export async function parseYaml(bytes: Uint8Array): Promise<ParsedJson> {
  if (bytes.length > LARGEST) throw fault(`document is larger than ${LARGEST} bytes`)
  const text = decodeText(bytes)
  // Few requests are YAML, and the library is large.
  const yaml = await import('yaml')
  try {
    const document = yaml.parseDocument(text, {
      version: '1.1',
      uniqueKeys: false,
      logLevel: 'silent',
      // A date stays the text that it is.
      customTags: tags => tags.filter(tag => typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:timestamp'),
    })
    const error = document.errors[0]
    if (error) throw fault(error.message.split('\n')[0]!.replace(/:$/, ''))
    return { value: toJson(document), duplicates: duplicatesIn(document.contents, yaml) }
  } catch (error) {
    if (error instanceof SyntaxProblem) throw error
    if (error instanceof RangeError) throw fault('exceeded max depth')
    // What else the library throws is about aliases: too many of them, or one of nothing.
    const { message } = error as Error
    throw fault(message.startsWith('Excessive alias count') ? TOO_MANY_ALIASES : message)
  }
}

const fault = (detail: string) => new SyntaxProblem(`error converting YAML to JSON: yaml: ${detail}`)

const toJson = (document: Document.Parsed): unknown =>
  jsonOf(document.toJS({ maxAliasCount: MOST_ALIASES }), 0, { rest: LARGEST_EXPANDED })

/** A copy in which nothing is shared, so that what aliases repeat is paid for here and not by whoever writes it. */
function jsonOf(value: unknown, depth: number, size: { rest: number }): unknown {
  size.rest -= typeof value === 'string' ? value.length + 2 : 8
  if (size.rest < 0) throw fault(TOO_MANY_ALIASES)
  if (depth > MAX_DEPTH) throw fault('exceeded max depth')
  if (value === null || value === undefined) return null
  if (typeof value === 'number' && !Number.isFinite(value)) throw fault(`unsupported value: ${value}`)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(item => jsonOf(item, depth + 1, size))
  if (Object.getPrototypeOf(value) !== Object.prototype)
    throw fault(`unsupported value of type ${value.constructor.name}`)
  const object: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    size.rest -= key.length
    put(object, key, jsonOf(item, depth + 1, size))
  }
  return object
}

/** Paths of the keys that repeat an earlier key of their map, in the order of the document. */
function duplicatesIn(contents: ParsedNode | null, { isMap, isScalar, isSeq }: typeof import('yaml')): string[] {
  const found = new Set<string>()
  const visit = (node: unknown, path: string): void => {
    if (isSeq(node)) for (const [index, item] of node.items.entries()) visit(item, `${path}[${index}]`)
    if (!isMap(node)) return
    const seen = new Set<string>()
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key)
      const inside = path ? `${path}.${name}` : name
      if (seen.has(name)) found.add(inside)
      seen.add(name)
      visit(value, inside)
    }
  }
  visit(contents, '')
  return [...found]
}
