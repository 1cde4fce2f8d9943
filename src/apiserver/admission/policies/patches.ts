import { apiVersion, errors, type KubeObject, type Resource } from '../../../api/index.ts'
import { codecFor, DecodeError } from '../../../encoding/index.ts'
import {
  applyJsonPatch,
  atomics,
  mergeConfiguration,
  misfitText,
  modelSchema,
  PatchError,
  type Schema,
} from '../../../patch/index.ts'
import { Dict, fromCel, List, type Value } from '../../cel/index.ts'
import { schemaOf } from '../../registry/ownership.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Attributes } from '../admission.ts'

/** A policy's change that cannot be made of this object, in upstream's words. */
export class Unpatchable extends Error {}

/**
 * The object as a policy's expression wants it, with the defaults of what came in. Throws an Unpatchable, or the answer to
 * give when it is no such object any more. Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch
 */
export function patched(
  registry: Registry,
  as: Resource,
  attributes: Attributes,
  before: KubeObject,
  patchType: string,
  value: unknown,
): KubeObject {
  const { served } = registry
  const { kind } = attributes
  const schema = kind ? modelSchema(kind.type) : schemaOf(served(as))
  const made = patchType === 'JSONPatch' ? withPatch(before, value) : withConfiguration(schema, before, value)
  const { codec, strategy } = kind ? { codec: codecFor<KubeObject>(kind.type), strategy: undefined } : served(as)
  try {
    const { object, strict } = codec.decode(made)
    if (strict.length) throw new DecodeError(`strict decoding error: ${strict.join(', ')}`)
    object.kind = (kind ?? as).kind
    object.apiVersion = apiVersion(kind ?? as)
    codec.default(object)
    strategy?.defaults?.(object)
    return object
  } catch (error) {
    if (error instanceof DecodeError) throw errors.internal(error.message)
    throw error
  }
}

/** `value`: a list of `JSONPatch{...}`. A test that fails leaves the object as it is. */
function withPatch(before: KubeObject, value: unknown): unknown {
  if (!(value instanceof List))
    throw new Unpatchable('type mismatch: JSONPatchType.expression should evaluate to array')
  const operations = [...value].map(each => {
    if (!(each instanceof Dict) || each.typeName !== 'JSONPatch')
      throw new Unpatchable('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch')
    const changed = each.get('value')
    if (changed instanceof Dict && changed.typeName) checkNames(changed, changed.typeName)
    return fromCel(each)
  })
  try {
    return applyJsonPatch(before, operations)
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    const reason = String(error.cause ?? error.message)
    if (reason.endsWith('test failed')) return before
    throw new Unpatchable(`JSON Patch: ${reason}`)
  }
}

/** `value`: an `Object{...}`, in which neither the kind nor the version can be set. */
function withConfiguration(schema: Schema, before: KubeObject, value: unknown): unknown {
  if (!(value instanceof Dict) || value.typeName !== 'Object')
    throw new Unpatchable('unsupported return type from ApplyConfiguration expression')
  checkNames(value, value.typeName)
  const { kind, apiVersion: version } = before
  const configuration = { ...(fromCel(value) as object), kind, apiVersion: version }
  const fail = (why: string) => new Unpatchable(`error applying patch: ${why}`)
  const misfit = misfitText(schema, configuration)
  if (misfit) throw fail(`failed to convert patch object to typed object: ${misfit}`)
  const whole = atomics(schema, configuration)
  if (whole.length)
    throw fail(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${whole.join(', ')}`)
  return mergeConfiguration(schema, before, configuration)
}

/** What a part of an object is called has to be where it is. */
function checkNames(value: Value, path: string): void {
  const problems = wrongNames(value, path)
  if (problems.length) throw new Unpatchable(`type mismatch: ${problems.join('\n')}`)
}

function wrongNames(value: Value | undefined, path: string): string[] {
  if (value instanceof List) return [...value].flatMap(each => wrongNames(each, path))
  if (!(value instanceof Dict)) return []
  const name = value.typeName
  const wrong =
    name && name !== path
      ? [
          `unexpected type name ${JSON.stringify(name)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`,
        ]
      : []
  return [...wrong, ...value.keys().flatMap(key => wrongNames(value.get(key), name ? `${path}.${key}` : path))]
}
