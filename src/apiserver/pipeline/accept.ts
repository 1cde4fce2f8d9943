/** One media range of an Accept header: its type, and its parameters other than the weight. */
export interface Accepted {
  type: string
  parameters: Record<string, string>
}

/**
 * What an Accept header asks for, most wanted first and what is named before what is not; `*` + `/*` when there is none.
 * Source: RFC 9110 12.5.1
 */
export function parseAccept(header: string | undefined): Accepted[] {
  if (!header?.trim()) return [{ type: '*/*', parameters: {} }]
  return header
    .split(',')
    .map(parseRange)
    .sort((a, b) => b.weight - a.weight || wildcards(a) - wildcards(b))
    .map(({ type, parameters }) => ({ type, parameters }))
}

const wildcards = ({ type }: Accepted): number => type.split('*').length

function parseRange(range: string): Accepted & { weight: number } {
  const [type = '', ...rest] = range.split(';').map(part => part.trim())
  const { q, ...parameters } = Object.fromEntries(rest.map(part => part.split('=', 2).map(side => side.trim())))
  const weight = q === undefined ? 1 : Number(q)
  return { type: type.toLowerCase(), parameters, weight: Number.isNaN(weight) ? 0 : weight }
}

/** Whether a media range of an Accept header takes in a media type. */
export const takesIn = (range: string, type: string): boolean =>
  range === type || range === '*/*' || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)))
