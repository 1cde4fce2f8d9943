import { setImmediate } from 'node:timers/promises'

type JsonObject = Record<string, unknown>

/** As upstream writes it: keys in the order of the alphabet, lists as far to the left as their keys. */
const OPTIONS = {
  version: '1.1',
  sortMapEntries: true,
  indentSeq: false,
  lineWidth: 0,
  aliasDuplicateObjects: false,
} as const

/** What can be long: of a list, and of a Table. */
const LISTS = ['items', 'rows']

/** An object in JSON as YAML. Of a list it makes an item at a time, so that others are answered meanwhile. */
export async function yamlOf(json: Buffer): Promise<Buffer> {
  // Few requests are YAML, and the library is large.
  const { stringify } = await import('yaml')
  const yaml = (value: unknown) => stringify(value, OPTIONS)
  const object = JSON.parse(json.toString()) as JsonObject
  const list = LISTS.find(name => Array.isArray(object[name]) && object[name].length)
  if (!list) return Buffer.from(yaml(object))
  const some = (isWanted: (key: string) => boolean) => {
    const entries = Object.entries(object).filter(([key]) => isWanted(key))
    return entries.length ? yaml(Object.fromEntries(entries)) : ''
  }
  const texts = [some(key => key < list), `${list}:\n`]
  for (const item of object[list] as unknown[]) {
    texts.push(yaml([item]))
    await setImmediate()
  }
  texts.push(some(key => key > list))
  return Buffer.from(texts.join(''))
}
