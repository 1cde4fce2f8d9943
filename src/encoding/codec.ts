import type { FieldError, KubeObject, Resource } from '../api/index.ts'
import { decoderOf, type Notes } from './decode.ts'
import { defaulterOf } from './defaults.ts'
import { objectEncoder } from './encode.ts'
import { inspect } from './inspect.ts'
import { enumProblems } from './structural.ts'

export interface Decoded<T> {
  object: T
  /** What strict field validation rejects: `unknown field "spec.foo"`. Empty for most. */
  strict: string[]
}

/**
 * Between JSON values, objects and bytes of one type. One for a built-in type is made from the API model; one made from
 * a CustomResourceDefinition's schema is used in the same way.
 */
export interface Codec<T = KubeObject> {
  /**
   * Checks a JSON value and makes a new object of it in canonical form: fields that the type does not have and nulls
   * dropped, structs and required fields that are always written filled with zero values, quantities and times
   * rewritten in the one way they are kept. Throws a DecodeError when a value has the wrong type.
   */
  decode(value: unknown): Decoded<T>
  /** Fills in, in place, the defaults that depend on nothing else. */
  default(object: T): void
  /**
   * What upstream's validation would reject and the types alone tell: values outside of their closed set. A kind with a
   * validation of its own reports these itself. Of a custom resource, all that its schema and its rules reject, but for what
   * stayed as it was in `old`, the object that this one replaces.
   */
  structural(object: T, old?: T): FieldError[]
  /**
   * The object's only bytes: fields in the order of their declaration, the keys of maps sorted, zero values left out
   * where Go leaves them out, and without metadata.resourceVersion.
   */
  encode(object: T): Buffer
  /** A body has to say its kind and version by itself. */
  ofOneKind?: boolean
}

/** A value that does not fit its type; the message is Go's. The API answers it with 400 BadRequest. */
export class DecodeError extends Error {
  override name = 'DecodeError'
}

const codecs = new Map<string, Codec<never>>()

/** The codec of a resource's kind, or of a type by its name in the API model (`autoscaling/v1.Scale`); made once. */
export function codecFor<T = KubeObject>(of: Resource<T> | string): Codec<T> {
  const name = typeof of === 'string' ? of : of.type
  let codec = codecs.get(name)
  if (!codec) {
    codec = compile(name)
    codecs.set(name, codec)
  }
  return codec as unknown as Codec<T>
}

function compile(name: string): Codec<never> {
  const decode = decoderOf(name)
  const encode = objectEncoder(name)
  return {
    decode(value) {
      const notes: Notes = { unknown: false }
      try {
        // To Go, null says nothing.
        const object = decode(value ?? {}, notes) as never
        return { object, strict: notes.unknown ? inspect(name, value).unknown : [] }
      } catch (error) {
        // The stack, which a value nested without end exhausts.
        if (error instanceof RangeError) throw new DecodeError('exceeded max depth')
        const { mismatch } = inspect(name, value)
        throw mismatch === undefined ? error : new DecodeError(mismatch)
      }
    },
    default: object => defaulterOf(name)(object),
    structural: object => enumProblems(name, object),
    encode: object => Buffer.from(encode(object)),
  }
}
