import type { KubeObject } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import { decodeEntry } from '../registry/served.ts'
import { jsonView } from './json.ts'
import { protobufView } from './protobuf.ts'
import type { View } from './view.ts'

const KIND = 'PartialObjectMetadata'

/** `version`: `meta.k8s.io/v1`. */
export const metadataOf = ({ metadata }: KubeObject, version: string): string =>
  `{"kind":"${KIND}","apiVersion":"${version}","metadata":${JSON.stringify(metadata)}}`

/** A chunk of a list of what `shown` makes of its entries. */
export function joined(entries: Entry[], first: boolean, shown: (entry: Entry, revision: number) => string): Buffer {
  const texts = entries.map(entry => shown(entry, entry.modRevision))
  return Buffer.from(`${first ? '' : ','}${texts.join()}`)
}

/** Objects of any kind by their metadata alone, for the garbage collector and its like. */
export function metadataView(version: string): View {
  const shown = (entry: Entry, revision: number) => metadataOf(decodeEntry(entry, revision), version)
  return jsonView({
    kind: KIND,
    apiVersion: version,
    head: meta => `{"kind":"${KIND}List","apiVersion":"${version}","metadata":${JSON.stringify(meta)},"items":[`,
    items: (entries, first) => joined(entries, first, shown),
    single: entry => Buffer.from(`${shown(entry, entry.modRevision)}\n`),
    event: (type, entry, revision) => Buffer.from(`{"type":"${type}","object":${shown(entry, revision)}}\n`),
  })
}

export const metadataProtobufView = (apiVersion: string): View =>
  protobufView({ apiVersion, kind: KIND, type: `meta/v1.${KIND}` })
