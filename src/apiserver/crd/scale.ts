import type { apiextensions, FieldError, KubeObject } from '../../api/index.ts'
import { isObject } from '../../encoding/index.ts'
import { invalid } from '../registry/validation/field.ts'

type ScalePaths = apiextensions.CustomResourceSubresourceScale

const MOST = 2 ** 31 - 1

/** Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/validator.go ValidateScaleSpec, ValidateScaleStatus */
export const scaleProblems = (object: KubeObject, paths: ScalePaths): FieldError[] => [
  ...countProblems(object, paths.specReplicasPath),
  ...countProblems(object, paths.statusReplicasPath),
  ...(paths.labelSelectorPath ? selectorProblems(object, paths.labelSelectorPath) : []),
]

function countProblems(object: KubeObject, path: string): FieldError[] {
  const found = at(object, path, 'int64', value => typeof value === 'number' && Number.isInteger(value))
  if ('problem' in found) return [invalid(path, 0, found.problem)]
  const count = (found.value ?? 0) as number
  if (count < 0) return [invalid(path, count, 'should be a non-negative integer')]
  return count > MOST ? [invalid(path, count, `should be less than or equal to ${MOST}`)] : []
}

function selectorProblems(object: KubeObject, path: string): FieldError[] {
  const found = at(object, path, 'string', value => typeof value === 'string')
  return 'problem' in found ? [invalid(path, '', found.problem)] : []
}

/** What a path of names leads to, if it is there; the complaint is that of Go's unstructured.NestedFieldNoCopy. */
function at(
  object: unknown,
  path: string,
  wanted: string,
  fits: (value: unknown) => boolean,
): { value: unknown } | { problem: string } {
  let value = object
  const wrong = (expected: string) => ({
    problem: `${path} accessor error: ${shown(value)} is of the type ${goType(value)}, expected ${expected}`,
  })
  for (const name of path.slice(1).split('.')) {
    if (value === null || value === undefined) return { value: undefined }
    if (!isObject(value)) return wrong('map[string]interface{}')
    value = Object.hasOwn(value, name) ? value[name] : undefined
  }
  return value === undefined || fits(value) ? { value } : wrong(wanted)
}

function goType(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** As Go prints it: `map[a:1 b:[x y]]`. */
function shown(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`
  if (!isObject(value)) return String(value)
  const keys = Object.keys(value).sort()
  return `map[${keys.map(key => `${key}:${shown(value[key])}`).join(' ')}]`
}
