import { apiVersion, errors, type KubeObject } from '../../../api/index.ts'
import { codecFor, DecodeError } from '../../../encoding/index.ts'
import { applyJsonPatch, PatchError } from '../../../patch/index.ts'
import type { Registry } from '../../registry/registry.ts'
import { same } from '../../registry/validation/field.ts'
import type { Attributes } from '../admission.ts'
import { inVersion, replaceObject } from '../match/versions.ts'
import type { Match } from './hooks.ts'

/** Changes the object as a mutating webhook wants it, with the defaults of what came in; false when that is what it was. */
export async function applyPatch(
  registry: Registry,
  { hook, as }: Match,
  attributes: Attributes,
  patch: unknown[],
): Promise<boolean> {
  if (!attributes.object)
    throw errors.internal(
      `admission webhook ${JSON.stringify(hook.webhook.name)} attempted to modify the object, which is not supported for this operation`,
    )
  const before = (await inVersion(registry, as, attributes, attributes.object))!
  const changed = decoded(registry, attributes, as, before, patch)
  if (same(changed, before)) return false
  await replaceObject(registry, as, attributes, changed)
  return true
}

function decoded(
  { served }: Registry,
  { kind }: Attributes,
  as: Match['as'],
  before: KubeObject,
  patch: unknown[],
): KubeObject {
  const { codec, strategy } = kind ? { codec: codecFor<KubeObject>(kind.type), strategy: undefined } : served(as)
  try {
    const made = applyJsonPatch(before, patch)
    checkKind(made as Partial<KubeObject> | null, kind ?? as)
    const { object } = codec.decode(made)
    object.kind = (kind ?? as).kind
    object.apiVersion = apiVersion(kind ?? as)
    codec.default(object)
    strategy?.defaults?.(object)
    return object
  } catch (error) {
    if (error instanceof PatchError) throw errors.internal(String(error.cause ?? error.message))
    if (error instanceof DecodeError) throw errors.internal(error.message)
    throw error
  }
}

/** What names no kind is taken for what it was. */
function checkKind(
  made: Partial<KubeObject> | null,
  wanted: Parameters<typeof apiVersion>[0] & { kind: string },
): void {
  const { kind = wanted.kind, apiVersion: version = apiVersion(wanted) } = made ?? {}
  if (kind !== wanted.kind || version !== apiVersion(wanted))
    throw errors.internal(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(version)} in scheme "pkg/runtime/scheme.go:111"`,
    )
}
