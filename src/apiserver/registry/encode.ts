import type { KubeObject } from '../../api/index.ts'
import type { Served } from './served.ts'

/** An object as the store keeps it: canonical, and without a resourceVersion, which the store itself counts. */
export function encode(served: Served, object: KubeObject): Uint8Array {
  const { metadata } = object
  delete (metadata as Partial<typeof metadata>).resourceVersion
  return served.codec.encode(object)
}
