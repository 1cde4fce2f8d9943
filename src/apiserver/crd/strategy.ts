import { errors, type FieldError, type KubeObject, names } from '../../api/index.ts'
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
      if (options.isTerminating())
        throw errors.forbidden(
          options,
          object.metadata.name,
          'create not allowed while custom resource definition is terminating',
        )
      if (!hasStatus) return
      delete object.status
      codec.default(object)
    },
    warnings: ({ metadata }, old) =>
      (metadata.finalizers ?? [])
        .filter(name => !old?.metadata.finalizers?.includes(name))
        .flatMap(name => finalizerWarnings(name)),
    validateStatusUpdate: (object, old) => codec.structural(object, old).map(ofStatus),
    ...(selectable.length
      ? { fields: object => Object.fromEntries(selectable.map(name => [name, textOf(object, name)])) }
      : {}),
  }
}

/** Upstream judges a status by itself, and so calls what lies in it. */
const ofStatus = (problem: FieldError): FieldError =>
  problem.field.startsWith('status')
    ? {
        ...problem,
        detail: problem.detail.replace(`${problem.field} in body`, `${problem.field.slice('status.'.length)} in body`),
      }
    : problem

function finalizerWarnings(name: string): string[] {
  const problems = names.qualifiedNameProblems(name)
  if (!name.includes('/') && !STANDARD.includes(name))
    problems.push(
      `prefer a domain-qualified finalizer name ${name.includes('.') ? 'including a path (/) ' : ''}to avoid accidental conflicts with other finalizer writers`,
    )
  return problems.map(problem => `metadata.finalizers: ${JSON.stringify(name)}: ${problem}`)
}

function textOf(object: unknown, path: string): string {
  const value = path
    .split('.')
    .reduce((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), object)
  return value === undefined || value === null ? '' : String(value)
}
