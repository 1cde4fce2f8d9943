import type { apiextensions, KubeObject } from '../../api/index.ts'
import { ageColumn, nameColumn } from '../tables/columns.ts'
import { since } from '../tables/duration.ts'
import type { Cell, Column } from '../tables/table.ts'
import { jsonPath, PathError } from './json-path.ts'

type Definition = apiextensions.CustomResourceColumnDefinition

/**
 * What `kubectl get` shows of a custom resource: its name, and the columns of its definition, or its age without any.
 * Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor
 */
export const columnsOf = (definitions: Definition[] | undefined): Column[] => [
  nameColumn,
  ...(definitions?.length ? readable(definitions) : [{ ...ageColumn, type: 'date' as const }]),
]

/** A path that cannot be read is no fault of the definition: the columns before it are shown. */
function readable(definitions: Definition[]): Column[] {
  const columns: Column[] = []
  try {
    for (const definition of definitions) columns.push(columnOf(definition))
  } catch (error) {
    if (!(error instanceof PathError)) throw error
  }
  return columns
}

function columnOf({ name, type, format = '', description, priority = 0, jsonPath: path }: Definition): Column {
  const find = jsonPath(path)
  return {
    name,
    type: type as Column['type'],
    format,
    description: description || `Custom resource definition column (in JSONPath format): ${path}`,
    priority,
    cell: (object: KubeObject, now: number) => cellOf(type, find(object)[0], now),
  }
}

/** The first thing that was found, if it is what the column is for. */
function cellOf(type: string, value: unknown, now: number): Cell {
  if (value === undefined || value === null) return null
  if (type === 'string') return typeof value === 'object' ? JSON.stringify(value) : String(value)
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null
  if (type === 'number') return typeof value === 'number' ? value : null
  if (typeof value !== 'string') return null
  return Number.isNaN(Date.parse(value)) ? '<invalid>' : since(value, now)
}
