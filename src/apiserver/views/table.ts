import type { KubeObject } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import { decodeEntry, type Served } from '../registry/served.ts'
import { columnsFor } from '../tables/index.ts'
import type { Column } from '../tables/table.ts'
import { joined, metadataOf } from './metadata.ts'
import { bookmark } from './plain.ts'
import type { ListMeta, View } from './view.ts'

/** How much of each object a row carries beside its cells; the query's `includeObject`. */
export type IncludeObject = 'Metadata' | 'Object' | 'None'

const OPENING = '{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":'

/**
 * Rows of cells, as `kubectl get` prints them. `now` gives milliseconds since the epoch, for ages.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function tableView(served: Served, include: IncludeObject, now: () => number): View {
  const columns = columnsFor(served.resource)
  const definitions = `,"columnDefinitions":${JSON.stringify(columns.map(definition))},"rows":[`
  const head = (meta: ListMeta) => `${OPENING}${JSON.stringify(meta)}${definitions}`
  const row = (entry: Entry, revision: number) => {
    const object = decodeEntry(entry)
    object.metadata.resourceVersion = String(revision)
    const cells = JSON.stringify(columns.map(column => column.cell(object, now())))
    return `{"cells":${cells},"object":${shown(object, include)}}`
  }
  const whole = (entry: Entry, revision: number) =>
    `${head({ resourceVersion: String(revision) })}${row(entry, revision)}]}`
  return {
    single: entry => Buffer.from(`${whole(entry, entry.modRevision)}\n`),
    head: meta => Buffer.from(head(meta)),
    items: (entries, first) => joined(entries, first, row),
    tail: Buffer.from(']}\n'),
    event: (type, entry, revision) => Buffer.from(`{"type":"${type}","object":${whole(entry, revision)}}\n`),
    bookmark: (revision, initialEnd) => bookmark('Table', 'meta.k8s.io/v1', revision, initialEnd),
  }
}

const definition = ({ name, type, format = '', description, priority }: Column) => ({
  name,
  type,
  format,
  description,
  priority,
})

function shown(object: KubeObject, include: IncludeObject): string {
  if (include === 'None') return 'null'
  return include === 'Object' ? JSON.stringify(object) : metadataOf(object)
}
