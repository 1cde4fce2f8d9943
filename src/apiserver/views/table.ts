import type { KubeObject } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import { decodeEntry, type Served } from '../registry/served.ts'
import { columnsFor } from '../tables/index.ts'
import type { Column } from '../tables/table.ts'
import { jsonView } from './json.ts'
import { joined, metadataOf } from './metadata.ts'
import type { ListMeta, View } from './view.ts'

/** How much of each object a row carries beside its cells; the query's `includeObject`. */
export type IncludeObject = 'Metadata' | 'Object' | 'None'

/**
 * Rows of cells, as `kubectl get` prints them. `version`: `meta.k8s.io/v1`. `now` gives milliseconds since the epoch, for ages.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function tableView(served: Served, version: string, include: IncludeObject, now: () => number): View {
  const columns = served.custom?.columns ?? columnsFor(served.resource)
  const definitions = `,"columnDefinitions":${JSON.stringify(columns.map(definition))},"rows":[`
  const opening = `{"kind":"Table","apiVersion":"${version}","metadata":`
  const head = (meta: ListMeta) => `${opening}${JSON.stringify(meta)}${definitions}`
  const row = (entry: Entry, revision: number) => {
    const object = decodeEntry(entry, revision)
    const cells = JSON.stringify(columns.map(column => column.cell(object, now())))
    return `{"cells":${cells},"object":${shown(object, version, include)}}`
  }
  const whole = (entry: Entry, revision: number) =>
    `${head({ resourceVersion: String(revision) })}${row(entry, revision)}]}`
  return jsonView({
    kind: 'Table',
    apiVersion: version,
    head,
    items: (entries, first) => joined(entries, first, row),
    single: entry => Buffer.from(`${whole(entry, entry.modRevision)}\n`),
    event: (type, entry, revision) => Buffer.from(`{"type":"${type}","object":${whole(entry, revision)}}\n`),
  })
}

const definition = ({ name, type, format = '', description, priority }: Column) => ({
  name,
  type,
  format,
  description,
  priority,
})

function shown(object: KubeObject, version: string, include: IncludeObject): string {
  if (include === 'None') return 'null'
  return include === 'Object' ? JSON.stringify(object) : metadataOf(object, version)
}
