import type { Handler, Reply } from '../pipeline/context.ts'
import { text } from '../pipeline/respond.ts'

/** One thing that has to work for the server to be well; rejects when it does not. */
export interface Check {
  name: string
  check(): Promise<void> | void
}

/**
 * `/livez` and its kin: `ok`, or every check with its result when one fails or `verbose` asks for it.
 * Source: https://kubernetes.io/docs/reference/using-api/health-checks/
 */
export function healthHandler(endpoint: string, checks: Check[]): Handler {
  return async ({ info, query }) => {
    const whole = info.path.length === endpoint.length + 1
    const wanted = info.path.slice(endpoint.length + 2)
    const excluded = new Set(query.getAll('exclude'))
    const lines: string[] = []
    const failed: string[] = []
    const chosen = whole ? checks : checks.filter(({ name }) => name === wanted)
    if (!chosen.length) return text(404, '404 page not found\n')
    for (const { name, check } of chosen) {
      if (excluded.delete(name)) {
        lines.push(`[+]${name} excluded: ok`)
        continue
      }
      const problem = await resultOf(check)
      if (problem) failed.push(name)
      lines.push(problem ? `[-]${name} failed: reason withheld` : `[+]${name} ok`)
    }
    if (excluded.size)
      lines.push(
        `warn: some health checks cannot be excluded: no matches for ${[...excluded].map(name => JSON.stringify(name)).join(',')}`,
      )
    if (!whole && !failed.length) return { ...text(200, 'ok'), headers: {} }
    return answer(endpoint, lines, failed.length > 0, query.has('verbose'))
  }
}

function answer(endpoint: string, lines: string[], failed: boolean, verbose: boolean): Reply {
  if (failed) return text(500, `${lines.join('\n')}\n${endpoint} check failed\n`)
  return text(200, verbose ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok')
}

export async function resultOf(check: Check['check']): Promise<Error | undefined> {
  try {
    await check()
    return undefined
  } catch (error) {
    return error as Error
  }
}
