import { errors, type KubeObject } from '../../api/index.ts'
import type { Codec } from '../../encoding/index.ts'
import type { Strategy } from '../registry/strategy.ts'
import type { JsonPath } from './json-path.ts'

export interface CustomStrategyOptions {
  group: string
  resource: string
  codec: Codec
  hasStatus: boolean
  /** By the path as selectors name it: `spec.color`. */
  selectable: [name: string, path: JsonPath][]
  /** Whether the definition is being deleted. */
  isTerminating(): boolean
}

/** Finalizers that are the API's own. */
const STANDARD = ['orphan', 'foregroundDeletion', 'kubernetes']

/** What every custom resource does. Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go */
export const customStrategy = (options: CustomStrategyOptions): Strategy => {
  const { codec, hasStatus, selectable } = options
  return {
    generation: true,
    allowUnconditionalUpdate: false,
    prepareCreate(object: KubeObject & { status?: unknown }) {
      if (options.isTerminating()) throw terminating(options)
      if (!hasStatus) return
      delete object.status
      codec.default(object)
    },
    warnings: ({ metadata }, old) =>
      (metadata.finalizers ?? [])
        .filter(name => !name.includes('/') && !STANDARD.includes(name) && !old?.metadata.finalizers?.includes(name))
        .map(
          name =>
            `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
        ),
    validateStatusUpdate: (object, old) => codec.structural(object, old),
    ...(selectable.length
      ? { fields: object => Object.fromEntries(selectable.map(([name, find]) => [name, textOf(find(object)[0])])) }
      : {}),
  }
}

const textOf = (value: unknown): string => (value === undefined || value === null ? '' : String(value))

const terminating = (of: CustomStrategyOptions) => {
  const error = errors.methodNotSupported(of, 'create')
  error.status.message = 'create not allowed while custom resource definition is terminating'
  return error
}
