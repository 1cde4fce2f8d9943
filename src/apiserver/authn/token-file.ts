import type { User } from '../pipeline/context.ts'

const AUTHENTICATED = 'system:authenticated'

/**
 * Tokens that do not end, as `--token-auth-file` gives them: a line each of token, user name, user uid and, in quotes,
 * the groups. Throws in upstream's words. Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file
 */
export function parseTokenFile(text: string): Map<string, User> {
  const known = new Map<string, User>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (!line.trim()) continue
    const [token = '', name = '', uid = '', groups = ''] = columns(line)
    if (columns(line).length < 3)
      throw new Error(
        `token file must have at least 3 columns (token, user name, user uid), found ${columns(line).length}, line ${index + 1}`,
      )
    if (!token) continue
    const named = groups
      .split(',')
      .map(group => group.trim())
      .filter(group => group !== '')
    known.set(token, { name, ...(uid ? { uid } : {}), groups: [...named, AUTHENTICATED] })
  }
  return known
}

/** The fields of one line of CSV; a quote within quotes is written twice. Source: RFC 4180 */
function columns(line: string): string[] {
  const found = line.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)
  const fields = [...found].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!.trim())
  // At the end of the line the pattern matches once more, with nothing.
  return fields.slice(0, -1)
}
