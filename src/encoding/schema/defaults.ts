import { put } from '../scalars.ts'
import { isObject, type JsonObject, type JsonSchema } from './schema.ts'

/** Fills in, in place, what a value leaves out. */
type Fill = (value: unknown) => void

/**
 * What fills in the defaults of a schema, at every level that is there. A null where none is allowed counts as absent.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting
 */
export const defaulterOf = (schema: JsonSchema): Fill => fillerOf(schema) ?? (() => {})

function fillerOf(schema: JsonSchema): Fill | undefined {
  const steps = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => fieldSteps(name, field)),
    ...itemsStep(schema),
    ...valuesStep(schema),
  ]
  if (steps.length === 0) return undefined
  return value => {
    for (const step of steps) step(value)
  }
}

function fieldSteps(name: string, schema: JsonSchema): Fill[] {
  const steps: Fill[] = []
  if (schema.default !== undefined)
    steps.push(value => {
      if (isObject(value) && isAbsent(value, name, schema)) put(value, name, structuredClone(schema.default))
    })
  const fill = fillerOf(schema)
  if (fill)
    steps.push(value => {
      if (isObject(value) && Object.hasOwn(value, name)) fill(value[name])
    })
  return steps
}

const isAbsent = (object: JsonObject, name: string, { nullable }: JsonSchema) =>
  !Object.hasOwn(object, name) || object[name] === undefined || (object[name] === null && !nullable)

function itemsStep({ items }: JsonSchema): Fill[] {
  const fill = items && fillerOf(items)
  if (!fill) return []
  return [value => void (Array.isArray(value) && value.forEach(fill))]
}

function valuesStep({ additionalProperties: schema }: JsonSchema): Fill[] {
  const fill = typeof schema === 'object' ? fillerOf(schema) : undefined
  if (!fill) return []
  return [value => void (isObject(value) && Object.values(value).forEach(fill))]
}
