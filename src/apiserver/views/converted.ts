import type { Entry } from '../../store/index.ts'
import { decodeEntry, type Served } from '../registry/served.ts'
import type { Chunks, View } from './view.ts'

/** Shows stored objects in another version: each is decoded, converted and encoded again on its way. */
export function convertedView(shown: Served, view: View): View {
  const { conversion, codec } = shown
  const convert = (entry: Entry): Entry => {
    const { object } = codec.decode(conversion!.fromStored(decodeEntry(entry)))
    return { ...entry, value: codec.encode(object) }
  }
  const converted = (chunks: Chunks): Chunks => ({
    async *[Symbol.asyncIterator]() {
      for await (const entries of chunks) yield entries.map(convert)
    },
  })
  return {
    ...view,
    single: entry => view.single(convert(entry)),
    list: (meta, chunks) => view.list(meta, converted(chunks)),
    event: (type, entry, revision) => view.event(type, convert(entry), revision),
  }
}
