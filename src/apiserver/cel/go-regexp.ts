import type { Pattern } from '../../encoding/index.ts'

let engine: typeof import('re2js').RE2JS | undefined

/**
 * Loads what regular expressions of Go need; they are matched in linear time and have a syntax of their own. Six
 * megabytes that a server without such expressions does not pay for.
 */
export async function loadGoRegexp(): Promise<void> {
  engine ??= (await import('re2js')).RE2JS
}

/** Only after `loadGoRegexp`. Throws in Go's words when there is a fault in the expression. */
export function goRegexp(text: string): Pattern & { findAll(text: string, most: number): string[] } {
  if (!engine) throw new Error('regular expressions of Go are not loaded')
  const compiled = compile(engine, text)
  return {
    test: value => compiled.test(value),
    findAll(value, most) {
      const found: string[] = []
      const matcher = compiled.matcher(value)
      while ((most < 0 || found.length < most) && matcher.find()) found.push(matcher.group() ?? '')
      return found
    },
  }
}

/** Where the two differ, as Go has it: it lets several groups have one name. */
function compile(from: NonNullable<typeof engine>, text: string) {
  try {
    return from.compile(text)
  } catch (error) {
    const { message } = error as Error
    if (message.includes('duplicate capture group name')) return from.compile(text.replace(/\(\?P?<\w+>/g, '('))
    throw message.endsWith('trailing backslash at end of expression') ? new Error(`${message}: \`\``) : error
  }
}
