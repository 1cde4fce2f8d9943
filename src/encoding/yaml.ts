import type { Document, LineCounter, ParsedNode, YAMLError } from 'yaml'
import { decodeText, MAX_DEPTH, type ParsedJson, SyntaxProblem } from './json.ts'
import { put } from './scalars.ts'

/** Upstream's limit for the body of any request. */
const LARGEST = 3 * 1024 * 1024

/** How many nodes aliases may expand to; a few lines of them can otherwise stand for billions of values. */
const MOST_ALIASES = 1000

/** Upstream's words, though its limit is another one. */
const TOO_DEEP = 'exceeded max depth of 10000'

const TOO_MANY_ALIASES = 'document contains excessive aliasing'

/** How much there may be once aliases are expanded: a small bomb is still a bomb when it repeats one large text. */
const LARGEST_EXPANDED = 4 * LARGEST

/** Dates and numbers in base 60 of YAML 1.1, which upstream's parser takes for texts. */
const isText = ({ tag, format }: { tag: string; format?: string }) => tag.endsWith(':timestamp') || format === 'TIME'

/**
 * Reads the first YAML document as JSON values, as sigs.k8s.io/yaml does: `yes` and `on` are booleans, keys become
 * strings, and stand in the order of the alphabet. Throws a SyntaxProblem for text that is not YAML, for aliases that
 * expand beyond reason and for a body over 3 MiB.
 */
export async function parseYaml(bytes: Uint8Array): Promise<ParsedJson> {
  if (bytes.length > LARGEST) throw fault(`document is larger than ${LARGEST} bytes`)
  const text = decodeText(bytes)
  // Few requests are YAML, and the library is large.
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  try {
    const document = yaml.parseDocument(text, {
      version: '1.1',
      uniqueKeys: false,
      logLevel: 'silent',
      lineCounter: lines,
      customTags: tags => tags.filter(tag => typeof tag === 'string' || !isText(tag)),
    })
    const [error] = document.errors
    if (error) throw fault(inWords(error))
    if (document.directives?.yaml.version !== '1.1' && /^%YAML/m.test(text))
      throw fault('found incompatible YAML document')
    const value = toJson(document)
    return { value, duplicates: [], repeated: repeatedIn(document.contents, yaml, lines) }
  } catch (error) {
    if (error instanceof SyntaxProblem) throw error
    if (error instanceof RangeError) throw fault(TOO_DEEP)
    // What else the library throws is about aliases: too many of them, or one of nothing.
    const { message } = error as Error
    const unknown = /^Unresolved alias .*: (.*)$/.exec(message)
    if (unknown) throw fault(`unknown anchor '${unknown[1]}' referenced`)
    throw fault(message.startsWith('Excessive alias count') ? TOO_MANY_ALIASES : message)
  }
}

const fault = (detail: string) => new SyntaxProblem(`yaml: ${detail}`)

/** What upstream's parser says of the same. Its lines count from where it gave up, mostly one before the fault. */
function inWords({ code, message, linePos }: YAMLError): string {
  const line = linePos?.[0].line ?? 1
  const before = line > 2 || code === 'MISSING_CHAR' ? `line ${Math.max(line - 1, 1)}: ` : ''
  const here = line > 1 ? `line ${line}: ` : ''
  const alias = /^Unresolved alias.*: (.*)$/.exec(message)
  if (alias) return `unknown anchor '${alias[1]}' referenced`
  switch (code) {
    case 'TAB_AS_INDENT':
    case 'BAD_SCALAR_START':
      return `${here}found character that cannot start any token`
    case 'BLOCK_AS_IMPLICIT_KEY':
      return `${line > 1 ? `line ${line + 1}: ` : ''}mapping values are not allowed in this context`
    case 'BAD_DQ_ESCAPE':
      return `${here}found unknown escape character`
    case 'BAD_INDENT':
      if (message.startsWith('Flow'))
        return `line ${Math.max(line - 1, 1)}: did not find expected ${message.startsWith('Flow map') ? "',' or '}'" : 'node content'}`
      return `${before}did not find expected key`
    case 'UNEXPECTED_TOKEN':
      return `${before}did not find expected key`
    case 'RESOURCE_EXHAUSTION':
      return TOO_DEEP
    case 'MISSING_CHAR':
      return message.includes('quote')
        ? `line ${line}: found unexpected end of stream`
        : `${before}did not find expected node content`
    default:
      return `${here}${message.split(/ at line|\n/)[0]!.replace(/:$/, '')}`
  }
}

const toJson = (document: Document.Parsed): unknown =>
  jsonOf(document.toJS({ maxAliasCount: MOST_ALIASES, mapAsMap: true }), 0, { rest: LARGEST_EXPANDED })

/** A copy in which nothing is shared, so that what aliases repeat is paid for here and not by whoever writes it. */
function jsonOf(value: unknown, depth: number, size: { rest: number }): unknown {
  size.rest -= typeof value === 'string' ? value.length + 2 : 8
  if (size.rest < 0) throw fault(TOO_MANY_ALIASES)
  if (depth > MAX_DEPTH) throw fault(TOO_DEEP)
  if (value === null || value === undefined) return null
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new SyntaxProblem(`json: unsupported value: ${goFloat(value)}`)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(item => jsonOf(item, depth + 1, size))
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (!(value instanceof Map)) throw fault(`unsupported value of type ${value.constructor.name}`)
  const object: Record<string, unknown> = {}
  const members = [...value].map(([key, item]): [string, unknown] => [keyText(key, item), item])
  for (const [key, item] of members.sort(([a], [b]) => (a < b ? -1 : 1))) {
    size.rest -= key.length
    put(object, key, jsonOf(item, depth + 1, size))
  }
  return object
}

const goFloat = (value: number) => (Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf')

/** Keys of JSON are texts: those of YAML that are plain values become such. */
function keyText(key: unknown, item: unknown): string {
  if (typeof key !== 'object') return String(key)
  if (key === null)
    throw new SyntaxProblem(`unsupported map key of type: %!s(<nil>), key: <nil>, value: ${JSON.stringify(item)}`)
  throw fault(`invalid map key: ${Array.isArray(key) ? '[]interface {}' : 'map[interface {}]interface {}'}`)
}

/** What is said of the keys that repeat an earlier key of their map, in the order of the document. */
function repeatedIn(
  contents: ParsedNode | null,
  { isMap, isScalar, isSeq }: typeof import('yaml'),
  lines: LineCounter,
): string[] {
  const found: string[] = []
  const visit = (node: unknown): void => {
    if (isSeq(node)) for (const item of node.items) visit(item)
    if (!isMap(node)) return
    const seen = new Set<string>()
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key)
      const at = isScalar(key) ? (key.range?.[0] ?? 0) : 0
      if (seen.has(name)) found.push(`line ${lines.linePos(at).line}: key ${JSON.stringify(name)} already set in map`)
      seen.add(name)
      visit(value)
    }
  }
  visit(contents)
  return found
}
