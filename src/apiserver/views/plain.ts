import { apiVersion } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import type { Served } from '../registry/served.ts'
import type { View } from './view.ts'

const TAIL = Buffer.from(']}\n')

/**
 * The stored bytes themselves. Nothing is decoded: the resourceVersion goes in at a place that is the same for every object
 * of a resource.
 */
export function plainView(served: Served): View {
  const { resource, itemStart } = served
  const version = apiVersion(resource)
  const opening = `{"kind":"${resource.kind}List","apiVersion":"${version}","metadata":`
  return {
    single: entry => spliced(served, entry, entry.modRevision, 0, '', '\n'),
    head: meta => Buffer.from(`${opening}${JSON.stringify(meta)},"items":[`),
    item: (entry, first) => spliced(served, entry, entry.modRevision, itemStart, first ? '{' : ',{', ''),
    tail: TAIL,
    event: (type, entry, revision) => spliced(served, entry, revision, 0, `{"type":"${type}","object":`, '}\n'),
    bookmark: (revision, initialEnd) => bookmark(resource.kind, version, revision, initialEnd),
  }
}

/** A bookmark of any view: an object of the kind with nothing but a resourceVersion. */
export function bookmark(kind: string, version: string, revision: number, initialEnd: boolean): Buffer {
  const annotations = initialEnd ? ',"annotations":{"k8s.io/initial-events-end":"true"}' : ''
  const metadata = `{"resourceVersion":"${revision}"${annotations}}`
  return Buffer.from(
    `{"type":"BOOKMARK","object":{"kind":"${kind}","apiVersion":"${version}","metadata":${metadata}}}\n`,
  )
}

/** The value without its first `start` bytes, with a resourceVersion, and `before` and `after` around it (both ASCII). */
function spliced(
  { head }: Served,
  { value }: Entry,
  revision: number,
  start: number,
  before: string,
  after: string,
): Buffer {
  const own = `"resourceVersion":"${revision}",`
  const out = Buffer.allocUnsafe(before.length + value.length - start + own.length + after.length)
  let at = out.write(before, 0, 'latin1')
  // What stands before the resourceVersion is the same in every object.
  at += head.copy(out, at, start)
  at += out.write(own, at, 'latin1')
  out.set(value.subarray(head.length), at)
  at += value.length - head.length
  out.write(after, at, 'latin1')
  return out
}
