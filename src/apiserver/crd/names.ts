import type { apiextensions } from '../../api/index.ts'
import type { Definition } from './conversion.ts'

type Names = apiextensions.CustomResourceDefinitionNames
export type Condition = Pick<apiextensions.CustomResourceDefinitionCondition, 'type' | 'status' | 'reason' | 'message'>

interface Accepted {
  names: Names
  conditions: Condition[]
}

/**
 * Which of the names that a definition asks for it may have, since no other of its group has them, and what that means for
 * its conditions.
 * Source: k8s.io/apiextensions-apiserver/pkg/controller/status naming_controller.go
 */
export function acceptNames({ spec, status }: Definition, others: Definition[]): Accepted {
  const used = usedNames(others.filter(other => other.spec.group === spec.group))
  const wanted = spec.names
  const names: Names = { ...status.acceptedNames }
  let conflict: Pick<Condition, 'reason' | 'message'> | undefined
  const take = <Field extends 'plural' | 'singular' | 'kind' | 'listKind'>(
    field: Field,
    taken: Set<string>,
    reason: string,
  ) => {
    const name = wanted[field]
    if (name !== undefined && name !== status.acceptedNames?.[field] && taken.has(name))
      conflict = { reason, message: inUse(name) }
    else names[field] = name
  }
  take('plural', used.resources, 'PluralConflict')
  take('singular', used.resources, 'SingularConflict')
  const shortNames = (wanted.shortNames ?? []).filter(
    name => !status.acceptedNames?.shortNames?.includes(name) && used.resources.has(name),
  )
  if (shortNames.length) {
    const texts = shortNames.map(inUse)
    conflict = { reason: 'ShortNamesConflict', message: texts.length === 1 ? texts[0] : `[${texts.join(', ')}]` }
  } else setOrDelete(names, 'shortNames', wanted.shortNames)
  take('kind', used.kinds, 'KindConflict')
  take('listKind', used.kinds, 'ListKindConflict')
  setOrDelete(names, 'categories', wanted.categories)
  return { names, conditions: conditionsOf(status, conflict) }
}

const inUse = (name: string) => `${JSON.stringify(name)} is already in use`

function setOrDelete<Field extends 'shortNames' | 'categories'>(names: Names, field: Field, value: Names[Field]): void {
  if (value) names[field] = value
  else delete names[field]
}

function usedNames(others: Definition[]): { resources: Set<string>; kinds: Set<string> } {
  const accepted = others.map(({ status }) => status.acceptedNames ?? {})
  return {
    resources: new Set(
      accepted.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular ?? '', ...shortNames]),
    ),
    kinds: new Set(accepted.flatMap(({ kind, listKind }) => [kind, listKind ?? ''])),
  }
}

function conditionsOf(
  { conditions }: Definition['status'],
  conflict: Pick<Condition, 'reason' | 'message'> | undefined,
): Condition[] {
  const established = conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
  if (!conflict)
    return [
      { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
      {
        type: 'Established',
        status: 'True',
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      },
    ]
  const refused: Condition = { type: 'NamesAccepted', status: 'False', ...conflict }
  // What once was established stays, with the names that it had.
  if (established) return [refused]
  return [
    refused,
    { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
  ]
}
