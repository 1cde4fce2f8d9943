import type { core, KubeObject, meta } from '../../api/index.ts'
import { since } from './duration.ts'
import type { Cell, Column } from './table.ts'

/** The parts that the columns of many kinds are made of. */

export const NONE = '<none>'
export const UNSET = '<unset>'
export const UNKNOWN = '<unknown>'

type CellOf<T extends KubeObject> = (object: T, now: number) => Cell

const column =
  (type: Column['type']) =>
  <T extends KubeObject>(name: string, description: string, cell: CellOf<T>): Column<T> => ({
    name,
    type,
    description,
    priority: 0,
    cell,
  })

export const text = column('string')
export const integer = column('integer')
export const boolean = column('boolean')

/** Shown only with `-o wide`. */
export const wide = <T extends KubeObject>(shown: Column<T>): Column<T> => ({ ...shown, priority: 1 })

export const nameColumn: Column = {
  ...text('Name', 'Unique among the objects of this kind in its namespace.', ({ metadata }) => metadata.name),
  format: 'name',
}

export const ageColumn: Column = text('Age', 'Time since the object was created.', ({ metadata }, now) =>
  since(metadata.creationTimestamp, now),
)

/** What kinds without columns of their own show. */
export const defaultColumns: Column[] = [
  nameColumn,
  {
    name: 'Created At',
    type: 'date',
    description: 'When the object was created.',
    priority: 0,
    cell: ({ metadata }) => metadata.creationTimestamp ?? null,
  },
]

/** Containers, images and selector of a workload, for `-o wide`. */
export function templateColumns<T extends KubeObject>(
  template: (object: T) => core.PodTemplateSpec | undefined,
): Column<T>[] {
  const containers = (object: T) => template(object)?.spec?.containers ?? []
  return [
    wide(
      text('Containers', 'Names of the containers in the template.', object =>
        containers(object)
          .map(({ name }) => name)
          .join(','),
      ),
    ),
    wide(
      text('Images', 'Images of the containers in the template.', object =>
        containers(object)
          .map(({ image }) => image ?? '')
          .join(','),
      ),
    ),
  ]
}

export const selectorColumn = <T extends KubeObject>(
  selector: (object: T) => meta.LabelSelector | undefined,
): Column<T> =>
  wide(text('Selector', 'Labels of the pods that belong to the object.', object => formatSelector(selector(object))))

const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1)

/** `app=web,tier=front`, or `<none>`. */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(byKey)
  return pairs.map(([key, value]) => `${key}=${value}`).join(',') || NONE
}

/** `app=web,tier in (a,b)`, or `<none>`. */
export function formatSelector(selector: meta.LabelSelector | undefined): string {
  const terms: [string, string][] = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]): [string, string] => [key, `${key}=${value}`]),
    ...(selector?.matchExpressions ?? []).map((term): [string, string] => [term.key, formatTerm(term)]),
  ]
  return (
    terms
      .sort(byKey)
      .map(([, term]) => term)
      .join(',') || NONE
  )
}

function formatTerm({ key, operator, values = [] }: meta.LabelSelectorRequirement): string {
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  return `${key} ${operator.toLowerCase()} (${[...values].sort().join(',')})`
}

/** The first `maximum` items, and how many more there are. */
export function firstOf(items: string[], none: string, maximum = 3): string {
  if (items.length === 0) return none
  const shown = items.slice(0, maximum).join(',')
  return items.length > maximum ? `${shown} + ${items.length - maximum} more...` : shown
}
