import type { KubeObject } from '../../api/index.ts'

/** A cell as `kubectl get` prints it. */
export type Cell = string | number | boolean | null

/** One column of a Table. Source: meta.k8s.io/v1 TableColumnDefinition. */
export interface Column<T extends KubeObject = KubeObject> {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: string
  description: string
  /** 0 is always shown, 1 only with `-o wide`. */
  priority: number
  /** `now`: milliseconds since the epoch, for ages. */
  cell(object: T, now: number): Cell
}
