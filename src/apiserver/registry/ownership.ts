import { apiVersion, errors, type FieldError, formatTime, type KubeObject, type meta } from '../../api/index.ts'
import {
  customSchema,
  modelSchema,
  type Schema,
  type StructuralSchema,
  trackUpdate,
  type Versions,
  type Write,
} from '../../patch/index.ts'
import type { Context } from '../pipeline/context.ts'
import type { Call, Registry } from './registry.ts'
import { relevantFields } from './reset-fields.ts'
import type { Served } from './served.ts'
import { forbidden, invalid, notSupported, required, tooLong } from './validation/field.ts'

/** Who owns which field: what server-side apply remembers of every write in metadata.managedFields. */

/** Bytes of a manager's name. Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation FieldManagerMaxLength */
const LONGEST_NAME = 128

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u

/** Notes in the object, in place, that the call's manager has made it what it is; `old` is what it was before, if anything. */
export async function track(registry: Registry, call: Call, object: KubeObject, old?: KubeObject): Promise<void> {
  if (call.manager === undefined) return
  const { shown } = call
  const entries = await trackUpdate(
    writeOf(registry, call, call.manager),
    old ? asShown(shown, old) : emptyOf(shown),
    asShown(shown, object),
  )
  setManagedFields(object, entries)
}

export function setManagedFields({ metadata }: KubeObject, entries: meta.ManagedFieldsEntry[] | undefined): void {
  if (entries) metadata.managedFields = entries
  else delete metadata.managedFields
}

/** The stored object in the version that the client speaks, with all that this version always has. */
export function asShown({ conversion, codec }: Served, object: KubeObject): KubeObject {
  if (!conversion) return object
  const shown = conversion.fromStored(object)
  const whole = { ...codec.decode(shown).object, kind: shown.kind, apiVersion: shown.apiVersion }
  setManagedFields(whole, object.metadata.managedFields)
  return whole
}

/** A write as ownership sees it. */
export const writeOf = (registry: Registry, { served, shown, subresource }: Call, manager: string): Write => ({
  versions: versionsOf(registry, served, shown),
  author: { manager, apiVersion: apiVersion(shown.resource), subresource },
  relevant: relevantFields(served, subresource),
  now: formatTime(registry.clock.now()),
})

const schemas = new WeakMap<Served, Schema>()

export function schemaOf(served: Served): Schema {
  let schema = schemas.get(served)
  if (!schema) {
    const { custom, resource } = served
    schema = custom ? customSchema(custom.schema as StructuralSchema) : modelSchema(resource.type)
    schemas.set(served, schema)
  }
  return schema
}

/** The versions of a resource: the client's, the one that is stored, and those that convert to it. */
function versionsOf(registry: Registry, served: Served, shown: Served): Versions {
  const at = (version: string): Served | undefined => {
    if (version === apiVersion(shown.resource)) return shown
    if (version === apiVersion(served.resource)) return served
    return otherVersion(registry, served, version)
  }
  return {
    changing: served.custom !== undefined,
    schema(version) {
      const found = at(version)
      return found && schemaOf(found)
    },
    convert(object, version) {
      if (served.custom) return served.custom.convert!(object, version)
      const from = at(object.apiVersion)!
      // Pruning may have taken structs that a conversion relies on.
      const whole = { ...object, ...from.codec.decode(object).object }
      const stored = from.conversion?.toStored(whole) ?? whole
      return asShown(at(version)!, stored)
    },
  }
}

function otherVersion(registry: Registry, served: Served, version: string): Served | undefined {
  const { resource } = served.resource
  const [group, name] = version.includes('/') ? (version.split('/') as [string, string]) : ['', version]
  const found = registry.resources.find(group, name, resource)
  if (!found) return undefined
  const other = registry.served(found)
  return other.conversion?.stored === served.resource || (other.custom && served.custom?.convert) ? other : undefined
}

const empties = new WeakMap<Served, KubeObject>()

/** An object of the kind as Go makes it before anything is in it. */
export function emptyOf(served: Served): KubeObject {
  let empty = empties.get(served)
  if (!empty) {
    empty = { ...served.codec.decode({}).object, kind: served.resource.kind, apiVersion: apiVersion(served.resource) }
    empties.set(served, empty)
  }
  return empty
}

/** Who writes: the client says, or its user agent tells, up to the first slash. Rejects with 422 for a name that is none. */
export function managerOf({ query, request, info }: Context): string {
  const given = query.get('fieldManager') ?? ''
  const problems = [...nameProblems(given), ...dryRunProblems(query), ...validationProblems(query)]
  if (info.verb === 'patch') problems.unshift(...patchProblems(query, request.headers['content-type']))
  if (problems.length) {
    const kind = `${info.verb[0]!.toUpperCase()}${info.verb.slice(1)}Options`
    throw errors.invalid({ group: 'meta.k8s.io', kind }, '', problems)
  }
  return given || fromUserAgent(request.headers['user-agent'])
}

/** Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidateDryRun */
export function dryRunProblems(query: URLSearchParams): FieldError[] {
  const wanted = query.getAll('dryRun')
  return wanted.every(value => value === 'All') ? [] : [notSupported('dryRun', wanted, ['All'])]
}

const VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn']

function validationProblems(query: URLSearchParams): FieldError[] {
  const wanted = query.get('fieldValidation') ?? ''
  return VALIDATIONS.includes(wanted) ? [] : [notSupported('fieldValidation', wanted, VALIDATIONS)]
}

export const APPLY = 'application/apply-patch+yaml'

export const isApply = (contentType: string | undefined): boolean =>
  contentType !== undefined && contentType.split(';', 1)[0]!.trim().toLowerCase() === APPLY

/** Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation ValidatePatchOptions */
function patchProblems(query: URLSearchParams, contentType: string | undefined): FieldError[] {
  if (isApply(contentType))
    return query.get('fieldManager') ? [] : [required('fieldManager', 'is required for apply patch')]
  return query.get('force') === null ? [] : [forbidden('force', 'may not be specified for non-apply patch')]
}

function nameProblems(name: string): FieldError[] {
  if (Buffer.byteLength(name) > LONGEST_NAME) return [tooLong('fieldManager', name, LONGEST_NAME)]
  const at = name.search(UNPRINTABLE)
  if (at < 0) return []
  const code = name.codePointAt(at)!.toString(16).toUpperCase().padStart(4, '0')
  return [
    invalid('fieldManager', name, `invalid character U+${code} (at position ${Buffer.byteLength(name.slice(0, at))})`),
  ]
}

/** Owns what somebody writes who does not say who he is. */
const UNKNOWN = 'unknown'

/** Who does not say who it is. Source: k8s.io/apimachinery/pkg/util/managedfields/internal buildmanagerinfo.go */
const NOBODY = 'unknown'

const unprintable = new RegExp(UNPRINTABLE, 'gu')
const agents = new Map<string, string>()
/** There are few agents, unless somebody plays with their names. */
const MOST_AGENTS = 1000

function fromUserAgent(agent = ''): string {
  let name = agents.get(agent)
  if (name === undefined) {
    name = cut(agent.split('/', 1)[0]!.replace(unprintable, '')) || NOBODY || UNKNOWN
    if (agents.size < MOST_AGENTS) agents.set(agent, name)
  }
  return name
}

/** As many whole characters as a name may have. */
function cut(text: string): string {
  let name = ''
  for (const character of text) {
    if (Buffer.byteLength(name + character) > LONGEST_NAME) break
    name += character
  }
  return name
}
