import type { Handler } from '../pipeline/context.ts'

/** What another server says of the types of one group version that it serves by way of this one. */
export interface RemoteOpenApi {
  /** `apis/example.com/v1` */
  place: string
  /** Of its document in version 3, with its hash; absent when it has none. */
  url?: string
  /** Its part of its document in version 2. */
  v2?: { paths: Record<string, unknown>; definitions: Record<string, unknown> }
  /** Passes on who asks for the document. */
  handler: Handler
}

interface Document {
  paths: Record<string, unknown>
  definitions: Record<string, unknown>
}

/**
 * A document in version 2 with what other servers say. Two types of one name are two types: that of the other server gets
 * another. Source: k8s.io/kube-openapi/pkg/aggregator MergeSpecs
 */
export function withRemote<T extends object>(document: T, remotes: RemoteOpenApi[]): T {
  const merged = { ...(document as T & Document) }
  for (const { v2 } of remotes) {
    if (!v2) continue
    const { paths, definitions } = renamed(v2, merged.definitions)
    merged.paths = { ...merged.paths, ...paths }
    merged.definitions = { ...merged.definitions, ...definitions }
  }
  return merged
}

function renamed({ paths, definitions }: Document, present: Record<string, unknown>): Document {
  const names = new Map<string, string>()
  for (const [name, definition] of Object.entries(definitions)) {
    if (!(name in present) || JSON.stringify(present[name]) === JSON.stringify(definition)) continue
    let number = 2
    while (`${name}_v${number}` in present || `${name}_v${number}` in definitions) number++
    names.set(name, `${name}_v${number}`)
  }
  if (!names.size) return { paths, definitions }
  const retold = <T>(part: T): T =>
    JSON.parse(JSON.stringify(part), (key, value) => {
      if (key !== '$ref' || typeof value !== 'string') return value
      const name = value.slice('#/definitions/'.length)
      return names.has(name) ? `#/definitions/${names.get(name)}` : value
    })
  const entries = Object.entries(definitions).map(([name, each]) => [names.get(name) ?? name, retold(each)])
  return { paths: retold(paths), definitions: Object.fromEntries(entries) }
}
