import { apiVersion, formatTime, type KubeObject } from '../../api/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { modelSchema, trackUpdate } from '../../patch/index.ts'
import { type Attributes, attributesOf, type Kind, mutate } from '../admission/admission.ts'
import { settleNamespace, wipeSystemFields } from './create.ts'
import { setManagedFields } from './ownership.ts'
import type { Call, Registry } from './registry.ts'

/**
 * The first half of a create of what is not kept as such: a question, or a command about another object. Fills in what a
 * client leaves out, notes who owns the fields, and lets admission change the object. Returns what admission is to judge
 * once the object is complete.
 * `keepsSystemFields`: the client may say which uid it means.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers create.go
 */
export async function receive(
  registry: Registry,
  call: Call,
  kind: Kind,
  object: KubeObject,
  keepsSystemFields = false,
): Promise<Attributes> {
  if (!keepsSystemFields) wipeSystemFields(object)
  settleNamespace(call, object)
  await trackReceived(registry, call, kind, object)
  const attributes = attributesOf(call, { operation: 'CREATE', kind, object })
  await mutate(registry, attributes)
  return attributes
}

async function trackReceived(
  { clock }: Registry,
  { manager, subresource }: Call,
  kind: Kind,
  object: KubeObject,
): Promise<void> {
  if (manager === undefined) return
  const version = apiVersion(kind)
  const write = {
    versions: {
      schema: (wanted: string) => (wanted === version ? modelSchema(kind.type) : undefined),
      convert: (same: KubeObject) => same,
    },
    author: { manager, apiVersion: version, subresource },
    relevant: <T>(fields: T) => fields,
    now: formatTime(clock.now()),
  }
  const empty = { ...codecFor<KubeObject>(kind.type).decode({}).object, kind: kind.kind, apiVersion: version }
  setManagedFields(object, await trackUpdate(write, empty, object))
}
