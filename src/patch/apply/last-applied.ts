import type { KubeObject } from '../../api/index.ts'
import { isObject } from '../json.ts'
import { compare } from './compare.ts'
import type { Conflict } from './conflict.ts'
import { UnnamedItem } from './elements.ts'
import { fieldsOf } from './extract.ts'
import { difference, type FieldSet } from './field-set.ts'
import type { Schema } from './schema.ts'
import { misfits } from './validate.ts'

/** Where `kubectl apply` on the client's side keeps what it applied. */
const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'

/** Bytes that all annotations may take together. */
const MOST_ANNOTATIONS = 256 * 1024

/** The manager that takes over from the client's side, and keeps the annotation for the way back. */
export const KUBECTL = 'kubectl'

/**
 * The conflicts that remain when kubectl may take what its client side applied and nobody has changed since.
 * Source: managedfields/internal lastappliedmanager.go
 */
export function unclaimedConflicts(
  schema: Schema,
  apiVersion: string,
  live: KubeObject,
  conflicts: Conflict[],
): Conflict[] {
  const claimed = lastAppliedFields(schema, apiVersion, live)
  return conflicts.flatMap(conflict => {
    const fields = difference(conflict.fields, claimed)
    return fields ? [{ ...conflict, fields }] : []
  })
}

function lastAppliedFields(schema: Schema, apiVersion: string, live: KubeObject): FieldSet | undefined {
  const applied = parsed(live.metadata.annotations?.[ANNOTATION])
  if (!isObject(applied) || applied.apiVersion !== apiVersion || misfits(schema, applied).length) return undefined
  try {
    const { changed, removed } = compare(schema, applied, live)
    return difference(difference(fieldsOf(schema, applied), changed), removed)
  } catch (error) {
    if (error instanceof UnnamedItem) return undefined
    throw error
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return text ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

/**
 * The object with an annotation that says what kubectl has applied now, if it has one from before.
 * Source: managedfields/internal lastappliedupdater.go
 */
export function withLastApplied(object: KubeObject, configuration: KubeObject): KubeObject {
  const { annotations } = object.metadata
  if (!annotations?.[ANNOTATION]) return object
  const { [ANNOTATION]: _, ...others } = annotations
  const next = { ...others, [ANNOTATION]: `${sortedJson(withoutAnnotation(configuration))}\n` }
  const size = Object.entries(next).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0)
  return { ...object, metadata: { ...object.metadata, annotations: size > MOST_ANNOTATIONS ? others : next } }
}

function withoutAnnotation(configuration: KubeObject): KubeObject {
  const annotations = configuration.metadata?.annotations
  if (!annotations) return configuration
  const { [ANNOTATION]: _, ...others } = annotations
  return { ...configuration, metadata: { ...configuration.metadata, annotations: others } }
}

const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  )
