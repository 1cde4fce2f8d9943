import { type meta, StatusError } from '../../api/index.ts'
import { type FieldSet, pathsOf } from './field-set.ts'
import type { Manager } from './owners.ts'

/** Fields that the configuration would change and that somebody else has set. */
export interface Conflict {
  owner: Manager
  fields: FieldSet
}

/** What keeps a configuration from being applied without force. */
export class ApplyConflict extends Error {
  override name = 'ApplyConflict'
  readonly conflicts: Conflict[]
  constructor(conflicts: Conflict[]) {
    super('fields are owned by others')
    this.conflicts = conflicts
  }
}

/** Source: k8s.io/apimachinery/pkg/util/managedfields/internal conflict.go */
export function conflictError(conflicts: Conflict[]): StatusError {
  const found = [...conflicts]
    .map(({ owner, fields }) => ({ who: shown(owner), paths: pathsOf(fields) }))
    .sort((a, b) => (a.who < b.who ? -1 : 1))
  const causes = found.flatMap(({ who, paths }) =>
    paths.map(
      (field): meta.StatusCause => ({ reason: 'FieldManagerConflict', message: `conflict with ${who}`, field }),
    ),
  )
  const single = causes.length === 1 ? causes[0]! : undefined
  const what = single
    ? `1 conflict: ${single.message}: ${single.field}`
    : `${causes.length} conflicts: ${found.map(({ who, paths }) => [`conflicts with ${who}:`, ...paths.map(path => `- ${path}`)].join('\n')).join('\n')}`
  const message = `Apply failed with ${what}`
  return new StatusError({ status: 'Failure', message, reason: 'Conflict', details: { causes }, code: 409 })
}

function shown({ manager, operation, apiVersion, subresource }: Manager): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '')
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
