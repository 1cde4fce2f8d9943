/** Words that cannot be fields in CEL. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

const ESCAPES: Record<string, string> = { __: 'underscores', '.': 'dot', '-': 'dash', '/': 'slash' }
const WORDS: Record<string, string> = Object.fromEntries(Object.entries(ESCAPES).map(([text, word]) => [word, text]))

/** A field as expressions name it; undefined when there is no such name. Source: k8s.io/apiserver/pkg/cel/escaping.go */
export function escapedField(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`
  const escaped = name.replace(/__|[.\-/]/g, found => `__${ESCAPES[found]}__`)
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined
}

/** The field that a name in an expression means. */
export function unescapedField(name: string): string {
  if (!name.includes('__')) return name
  const word = /^__([a-z_]+)__$/.exec(name)?.[1]
  if (word && RESERVED.has(word)) return word
  return name.replace(/__(underscores|dot|dash|slash)__/g, (_, found: string) => WORDS[found]!)
}
