import { apiVersion, listKind } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import type { Served } from '../registry/served.ts'
import { jsonView, type Memory } from './json.ts'
import type { View } from './view.ts'

/**
 * The stored bytes themselves. Nothing is decoded: the resourceVersion goes in at a place that is the same for every object
 * of a resource.
 */
export function plainView(served: Served): View {
  const { kind } = served.resource
  const version = apiVersion(served.resource)
  const opening = `{"kind":"${listKind(served.resource)}","apiVersion":"${version}","metadata":`
  // To upstream the list of a custom resource is a map, in which nothing is left out.
  const whole = served.custom ? { continue: '' } : {}
  return jsonView({
    kind,
    apiVersion: version,
    head: meta => `${opening}${JSON.stringify({ ...whole, ...meta })},"items":[`,
    items: (entries, first, memory) => joined(served, entries, first, memory),
    single: entry => spliced(served, entry, entry.modRevision, 0, '', '\n'),
    event: (type, entry, revision) => spliced(served, entry, revision, 0, `{"type":"${type}","object":`, '}\n'),
  })
}

/** What is not kept, as in a dry run, has none. */
const revisionText = (revision: number) => (revision ? `"resourceVersion":"${revision}",` : '')

/** The value without its first `start` bytes, with a resourceVersion, and `before` and `after` around it (both ASCII). */
function spliced(
  { head }: Served,
  { value }: Entry,
  revision: number,
  start: number,
  before: string,
  after: string,
): Buffer {
  const own = revisionText(revision)
  const out = Buffer.allocUnsafe(before.length + value.length - start + own.length + after.length)
  const from = out.write(before, 0, 'latin1')
  out.write(after, splice(out, from, head, value, own, start), 'latin1')
  return out
}

/** All of a chunk in one buffer: a large list is mostly the copying of bytes, so each is copied once. */
function joined({ head, itemStart }: Served, entries: Entry[], first: boolean, memory: Memory): Buffer {
  const revisions = entries.map(({ modRevision }) => revisionText(modRevision))
  let size = 0
  for (let index = 0; index < entries.length; index++)
    size += entries[index]!.value.length - itemStart + revisions[index]!.length + 2
  const out = memory(first ? size - 1 : size)
  let at = 0
  for (let index = 0; index < entries.length; index++) {
    at += out.write(first && index === 0 ? '{' : ',{', at, 'latin1')
    at = splice(out, at, head, entries[index]!.value, revisions[index]!, itemStart)
  }
  return out
}

/** Writes a value, from `start` on, with `own` after its head; returns where it ends. */
function splice(out: Buffer, from: number, head: Buffer, value: Uint8Array, own: string, start: number): number {
  // What stands before the resourceVersion is the same in every object.
  let at = from + head.copy(out, from, start)
  at += out.write(own, at, 'latin1')
  out.set(value.subarray(head.length), at)
  return at + value.length - head.length
}
