import { apiVersion, type KubeObject, type Resource } from '../../../api/index.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Attributes } from '../admission.ts'

/** Between the version that is stored, in which admission goes on, and the one that a webhook or a policy asks for. */

/** `object` as it is in the version of `as`; itself when that is the same. The result may share parts with it. */
export async function inVersion(
  { served }: Registry,
  as: Resource,
  { resource, kind }: Attributes,
  object: KubeObject | undefined,
): Promise<KubeObject | undefined> {
  if (!object || kind || as === resource) return object
  const { conversion, custom } = served(as)
  if (custom?.convert) return custom.convert(object, apiVersion(as))
  return conversion?.fromStored(object) ?? object
}

/** Puts what a client, a webhook or a policy has made of the object in its place, and in its version. */
export async function replaceObject(
  { served }: Registry,
  as: Resource,
  attributes: Attributes,
  changed: KubeObject,
): Promise<void> {
  const { resource, kind } = attributes
  const converted = kind || as === resource ? changed : await stored()
  const object = attributes.object as unknown as Record<string, unknown>
  for (const field of Object.keys(object)) delete object[field]
  Object.assign(object, converted)

  async function stored(): Promise<KubeObject> {
    const { conversion, custom } = served(as)
    if (custom?.convert) return custom.convert(changed, apiVersion(resource))
    return conversion?.toStored(changed) ?? changed
  }
}
