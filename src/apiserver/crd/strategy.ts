import { errors, type KubeObject } from '../../api/index.ts'
import { type Codec, isObject } from '../../encoding/index.ts'
import type { Strategy } from '../registry/strategy.ts'

export interface CustomStrategyOptions {
  group: string
  resource: string
  codec: Codec
  hasStatus: boolean
  /** Fields that selectors may name: `spec.color`. */
  selectable: string[]
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
      ? { fields: object => Object.fromEntries(selectable.map(name => [name, textOf(object, name)])) }
      : {}),
  }
}

function textOf(object: unknown, path: string): string {
  const value = path
    .split('.')
    .reduce((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), object)
  return value === undefined || value === null ? '' : String(value)
}

const terminating = (of: CustomStrategyOptions) => {
  const error = errors.methodNotSupported(of, 'create')
  error.status.message = 'create not allowed while custom resource definition is terminating'
  return error
}
