import type { FieldError, KubeObject } from '../../api/index.ts'
import { type Codec, codecFor, DecodeError } from '../codec.ts'
import { canonicalJson } from './canonical.ts'
import { defaulterOf } from './defaults.ts'
import { type CheckMetadata, structureProblems } from './lists.ts'
import { Findings, prune } from './prune.ts'
import { isObject, type JsonSchema } from './schema.ts'
import { type CompilePattern, checkOf } from './validate.ts'

export interface SchemaCodecOptions {
  /** Regular expressions are Go's, which are not JavaScript's. Throws when there is a fault in one. */
  pattern: CompilePattern
  /** What makes the judge of the schema's rules, who is asked only when nothing else is in their way. */
  rules?(): ((object: KubeObject, old: KubeObject | undefined) => FieldError[]) | undefined
  /** Judges the metadata of objects that lie within others. */
  metadata?: CheckMetadata
}

const OBJECT = 'meta/v1.PartialObjectMetadata'

/** The codec of the kind that a structural schema describes. */
export function schemaCodec(schema: JsonSchema, { pattern, rules, metadata }: SchemaCodecOptions): Codec {
  // Many definitions are large, and never have an object: what they mean is found out when the first one comes.
  const check = lazy(() => checkOf(withoutMetadata(schema), pattern))
  const fill = lazy(() => defaulterOf(schema))
  const judge = lazy(() => rules?.())
  return {
    ofOneKind: true,
    decode(value) {
      if (!isObject(value)) throw new DecodeError('exceeded max depth')
      const findings = new Findings()
      const object = prune(schema, value, findings) as unknown as KubeObject
      object.metadata ??= codecFor(OBJECT).decode({}).object.metadata
      return { object, strict: findings.all() }
    },
    default: object => fill()(object),
    structural(object, old) {
      let problems = problemsOf(object)
      if (problems.length && old) problems = problemsOf(object, old)
      const judgeRules = judge()
      if (!judgeRules) return problems
      return problems.some(({ type }) => BLOCKING.has(type))
        ? [...problems, NOT_CHECKED]
        : [...problems, ...judgeRules(object, old)]
    },
    encode(object) {
      const { kind, apiVersion, metadata, ...rest } = object
      const head = codecFor(OBJECT).encode({ kind, apiVersion, metadata }).toString()
      const tail = canonicalJson(rest)
      return Buffer.from(tail === '{}' ? head : `${head.slice(0, -1)},${tail.slice(1)}`)
    },
  }

  function problemsOf(object: KubeObject, old?: KubeObject): FieldError[] {
    const problems: FieldError[] = []
    check()(object, '', problems, old)
    const structure = structureProblems(schema, object, { metadata })
    // Lists with duplicates that an older schema allowed may stay.
    const known = old && structure.some(isDuplicate) && structureProblems(schema, old).some(isDuplicate)
    return [...problems, ...(known ? structure.filter(problem => !isDuplicate(problem)) : structure)]
  }
}

const isDuplicate = ({ type }: FieldError) => type === 'Duplicate'

function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** Metadata is judged as every object's is; a schema can say something of its name alone. */
function withoutMetadata(schema: JsonSchema): JsonSchema {
  const metadata = schema.properties?.metadata
  if (!metadata) return schema
  const { name, generateName } = metadata.properties ?? {}
  const properties = { ...(name ? { name } : {}), ...(generateName ? { generateName } : {}) }
  return { ...schema, properties: { ...schema.properties, metadata: { type: 'object', properties } } }
}

/** Faults after which rules would not make sense of the object. */
const BLOCKING: ReadonlySet<FieldError['type']> = new Set([
  'NotSupported',
  'Required',
  'TooLong',
  'TooMany',
  'TypeInvalid',
])

const NOT_CHECKED: FieldError = {
  type: 'Invalid',
  field: '<nil>',
  value: null,
  detail:
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
}
