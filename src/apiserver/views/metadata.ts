import type { KubeObject } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import { decodeEntry } from '../registry/served.ts'
import { bookmark } from './plain.ts'
import type { View } from './view.ts'

const VERSION = 'meta.k8s.io/v1'
const KIND = 'PartialObjectMetadata'

export const metadataOf = ({ metadata }: KubeObject): string =>
  `{"kind":"${KIND}","apiVersion":"${VERSION}","metadata":${JSON.stringify(metadata)}}`

function shown(entry: Entry, revision: number): string {
  const object = decodeEntry(entry)
  object.metadata.resourceVersion = String(revision)
  return metadataOf(object)
}

/** A chunk of a list of what `shown` makes of its entries. */
export function joined(entries: Entry[], first: boolean, shown: (entry: Entry, revision: number) => string): Buffer {
  const texts = entries.map(entry => shown(entry, entry.modRevision))
  return Buffer.from(`${first || !texts.length ? '' : ','}${texts.join()}`)
}

/** Objects of any kind by their metadata alone, for the garbage collector and its like. */
export const metadataView: View = {
  single: entry => Buffer.from(`${shown(entry, entry.modRevision)}\n`),
  head: meta =>
    Buffer.from(`{"kind":"${KIND}List","apiVersion":"${VERSION}","metadata":${JSON.stringify(meta)},"items":[`),
  items: (entries, first) => joined(entries, first, shown),
  tail: Buffer.from(']}\n'),
  event: (type, entry, revision) => Buffer.from(`{"type":"${type}","object":${shown(entry, revision)}}\n`),
  bookmark: (revision, initialEnd) => bookmark(KIND, VERSION, revision, initialEnd),
}
