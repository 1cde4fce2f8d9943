/** A path that cannot be read. */
export class PathError extends Error {
  override name = 'PathError'
}

/** What a path finds in a value, in its order. */
export type JsonPath = (root: unknown) => unknown[]

/** From the values found so far to those one step further. */
type Step = (values: unknown[]) => unknown[]

/**
 * Compiles the JSONPath of a printer column: `.spec.replicas`, `.metadata.labels['a.b']`, `.spec.ports[*].port`,
 * `.status.conditions[?(@.type=="Ready")].status`, `..name`. Throws a PathError when it is malformed.
 * Source: k8s.io/client-go/util/jsonpath
 */
export function jsonPath(text: string): JsonPath {
  const steps: Step[] = []
  let rest = text.trim()
  if (rest.startsWith('$') || rest.startsWith('@')) rest = rest.slice(1)
  while (rest) {
    const [step, length] = readStep(rest)
    steps.push(step)
    rest = rest.slice(length)
  }
  return root => steps.reduce((values, step) => step(values), [root])
}

const NAME = /^(?:\\.|[^.[\]\\\s{}()'"])+/

function readStep(text: string): [step: Step, length: number] {
  if (text.startsWith('..')) return readName(text, 2, values => values.flatMap(descendants))
  const dots = text.startsWith('.') ? 1 : 0
  if (text[dots] !== '[') return readName(text, dots)
  const end = closing(text.slice(dots)) + dots
  return [bracket(text.slice(dots + 1, end).trim()), end + 1]
}

function readName(text: string, from: number, first: Step = values => values): [Step, number] {
  if (text[from] === '*') return [values => first(values).flatMap(members), from + 1]
  const name = NAME.exec(text.slice(from))?.[0]
  if (!name) throw new PathError(`unrecognized character in action: ${JSON.stringify(text.slice(from, from + 1))}`)
  const field = name.replace(/\\(.)/g, '$1')
  return [values => first(values).flatMap(value => member(value, field)), from + name.length]
}

/** Where the bracket that a text begins with is closed, whatever is quoted or nested in between. */
function closing(text: string): number {
  let depth = 0
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (quote) {
      if (character === quote) quote = ''
    } else if (character === '"' || character === "'") quote = character
    else if (character === '[') depth++
    else if (character === ']' && --depth === 0) return at
  }
  throw new PathError('unterminated array')
}

function bracket(inner: string): Step {
  if (inner === '*') return values => values.flatMap(members)
  if (inner.startsWith('?(') && inner.endsWith(')')) return filter(inner.slice(2, -1))
  if (/^(['"]).*\1$/.test(inner)) {
    const names = inner.split(/\s*,\s*(?=['"])/).map(name => name.slice(1, -1))
    return values => values.flatMap(value => names.flatMap(name => member(value, name)))
  }
  if (/^-?\d+(\s*,\s*-?\d+)*$/.test(inner)) {
    const indexes = inner.split(',').map(Number)
    return values => values.flatMap(value => (Array.isArray(value) ? indexes.flatMap(index => item(value, index)) : []))
  }
  const range = /^(-?\d*):(-?\d*)(?::(\d+))?$/.exec(inner)
  if (!range) throw new PathError(`invalid array index ${inner}`)
  const [, start, end, step] = range
  return values =>
    values.flatMap(value =>
      Array.isArray(value)
        ? value
            .slice(start ? Number(start) : 0, end ? Number(end) : undefined)
            .filter((_, at) => at % Number(step ?? 1) === 0)
        : [],
    )
}

const COMPARISONS: Record<string, (order: number) => boolean> = {
  '==': order => order === 0,
  '!=': order => order !== 0,
  '<': order => order < 0,
  '<=': order => order <= 0,
  '>': order => order > 0,
  '>=': order => order >= 0,
}

/** `@.type=="Ready"`; without a comparison, whether there is such a thing. */
function filter(text: string): Step {
  const [, left = '', operator = '', right = ''] = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/.exec(text) ?? [undefined, text]
  const of = operand(left.trim())
  if (!operator) return values => values.flatMap(members).filter(value => of(value).length > 0)
  const to = operand(right.trim())
  const holds = COMPARISONS[operator]!
  return values =>
    values.flatMap(members).filter(value => {
      const [one] = of(value)
      const [other] = to(value)
      if (one === undefined || other === undefined) return false
      if (typeof one !== typeof other) return operator === '!='
      return holds(one === other ? 0 : (one as string) < (other as string) ? -1 : 1)
    })
}

function operand(text: string): JsonPath {
  if (text.startsWith('@')) return jsonPath(text)
  const quoted = /^(['"])(.*)\1$/.exec(text)
  const value = quoted ? quoted[2] : text === 'true' ? true : text === 'false' ? false : Number(text)
  if (Number.isNaN(value)) throw new PathError(`unrecognized identifier ${text}`)
  return () => [value]
}

const members = (value: unknown): unknown[] => (typeof value === 'object' && value !== null ? Object.values(value) : [])

const descendants = (value: unknown): unknown[] => [value, ...members(value).flatMap(descendants)]

const member = (value: unknown, name: string): unknown[] =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? [(value as Record<string, unknown>)[name]]
    : []

function item(list: unknown[], index: number): unknown[] {
  const found = list.at(index)
  return found === undefined ? [] : [found]
}
