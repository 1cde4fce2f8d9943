import { readFileSync } from 'node:fs'

/** By the model's type name: what the type is (under the empty name) and what its fields are. */
export type Descriptions = Record<string, Record<string, string>>

/** Beside the bundle, and where the build puts it when the server runs from its sources. */
const PLACES = ['./descriptions.json', '../../../dist/descriptions.json']

let loaded: WeakRef<Descriptions> | undefined

/**
 * The descriptions that scripts/generate-descriptions.ts has made; without them schemas only lack their prose. They stay
 * as long as documents are being made of them, and not for good.
 */
export function descriptions(): Descriptions {
  const held = loaded?.deref()
  if (held) return held
  const fresh = load()
  loaded = new WeakRef(fresh)
  return fresh
}

function load(): Descriptions {
  for (const place of PLACES) {
    try {
      return JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return {}
}
