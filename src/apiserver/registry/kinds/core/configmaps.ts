import { type core, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { at, complaints, forbidden, invalid, same, tooLong } from '../../validation/field.ts'

export const LARGEST_DATA = 1024 * 1024
const FROZEN = 'field is immutable when `immutable` is set'

type ConfigMap = core.ConfigMap

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateConfigMap */
export const configMapStrategy: Strategy<ConfigMap> = {
  validate({ data = {}, binaryData = {} }) {
    const problems = [...validateKeys(data, 'data'), ...validateKeys(binaryData, 'binaryData')]
    for (const key of Object.keys(binaryData)) {
      if (Object.hasOwn(data, key))
        problems.push(invalid(at('data', key), key, 'duplicate of key present in binaryData'))
    }
    const size = bytes(Object.values(data)) + decodedBytes(Object.values(binaryData))
    return size > LARGEST_DATA ? [...problems, tooLong('[]', '', LARGEST_DATA)] : problems
  },
  validateUpdate: (map, old) => validateFrozen(map, old, ['data', 'binaryData']),
}

export const validateKeys = (data: Record<string, string>, path: string): FieldError[] =>
  Object.keys(data).flatMap(key => complaints(at(path, key), key, names.configMapKeyProblems(key)))

export const bytes = (texts: string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)

/** What base64 texts say, without decoding them. */
export const decodedBytes = (texts: string[]): number =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text, 'base64'), 0)

/** Once `immutable` is set, neither it nor the data can change. */
export function validateFrozen<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  fields: (keyof T & string)[],
): FieldError[] {
  if (!old.immutable) return []
  const problems = object.immutable ? [] : [forbidden('immutable', FROZEN)]
  return [
    ...problems,
    ...fields.filter(field => !same(object[field], old[field])).map(field => forbidden(field, FROZEN)),
  ]
}
