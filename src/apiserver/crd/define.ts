import { apiVersion, type KubeObject, type Resource } from '../../api/index.ts'
import { type Codec, type JsonSchema, schemaCodec } from '../../encoding/index.ts'
import type { Bytes, Entry, Store } from '../../store/index.ts'
import { goRegexp, loadGoRegexp } from '../cel/go-regexp.ts'
import { byVersion } from '../discovery/groups.ts'
import { embeddedMetadataProblems } from '../registry/metadata.ts'
import type { Served } from '../registry/served.ts'
import { columnsOf } from './columns.ts'
import type { Convert, Definition } from './conversion.ts'
import { ConvertedStore } from './converted-store.ts'
import { rulesOf } from './rules/rules.ts'
import { scaleProblems } from './scale.ts'
import { customStrategy } from './strategy.ts'

type Version = Definition['spec']['versions'][number]

export interface DefineOptions {
  store: Store
  convert: Convert
  /** Objects that were written at an earlier revision may be as a former schema had them. */
  freshSince(): number
  isTerminating(): boolean
  /** What ends the watches on its objects. */
  watches: Set<() => void>
}

/** A version of a custom resource before the store is told how it is kept. */
interface Shape {
  resource: Resource
  codec: Codec
  head: Buffer
}

const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']
const CHANGED = ['get', 'patch', 'update']

/** Everything that the server needs to serve a definition's versions, compiled from it once. */
export async function define(definition: Definition, options: DefineOptions): Promise<Served[]> {
  const { versions } = definition.spec
  await loadRegexpFor(definition)
  const shapes = new Map(versions.map(version => [version.name, shapeOf(definition, version)]))
  const stored = shapes.get(versions.find(({ storage }) => storage)!.name)!
  return versions
    .filter(({ served }) => served)
    .map(version => serve(definition, version, shapes.get(version.name)!, stored, options))
}

/** Loads what the expressions in a definition's schemas need, if there are any. */
export async function loadRegexpFor({ spec }: Definition): Promise<void> {
  if (spec.versions?.some(version => needsRegexp(schemaOf(version)))) await loadGoRegexp()
}

export const schemaOf = ({ schema }: Version): JsonSchema =>
  (schema?.openAPIV3Schema ?? { type: 'object' }) as JsonSchema

function needsRegexp(schema: JsonSchema): boolean {
  const { pattern, items, properties, additionalProperties, allOf, anyOf, oneOf, not } = schema
  if (pattern || schema['x-kubernetes-validations']?.length) return true
  const below = [items, not, additionalProperties, ...Object.values(properties ?? {})]
  return [...below, ...(allOf ?? []), ...(anyOf ?? []), ...(oneOf ?? [])].some(
    each => typeof each === 'object' && needsRegexp(each),
  )
}

function shapeOf(definition: Definition, version: Version): Shape {
  const resource = resourceOf(definition, version)
  const { kind } = resource
  const head = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion(resource))},"metadata":{`
  return { resource, codec: codecOf(version), head: Buffer.from(head) }
}

function codecOf(version: Version): Codec {
  const schema = schemaOf(version)
  const scale = version.subresources?.scale
  const codec = schemaCodec(schema, {
    pattern: goRegexp,
    rules: () => rulesOf(schema),
    metadata: embeddedMetadataProblems,
  })
  if (!scale) return codec
  return {
    ...codec,
    structural: (object, old) => [...codec.structural(object, old), ...scaleProblems(object, scale)],
  }
}

function resourceOf(
  { spec, status }: Definition,
  { name, subresources = {}, selectableFields = [] }: Version,
): Resource {
  const names = status.acceptedNames
  const { kind, plural } = names
  return {
    group: spec.group,
    version: name,
    resource: plural,
    singular: names.singular ?? '',
    kind,
    namespaced: spec.scope === 'Namespaced',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: VERBS,
    subresources: [
      ...(subresources.status ? [{ name: 'status', verbs: CHANGED, kind }] : []),
      ...(subresources.scale
        ? [{ name: 'scale', verbs: CHANGED, group: 'autoscaling', version: 'v1', kind: 'Scale' }]
        : []),
    ],
    type: `${spec.group}/${name}.${kind}`,
    listKind: names.listKind ?? `${kind}List`,
    storedAs: spec.versions.find(({ storage }) => storage)!.name,
    selectable: selectableFields.map(({ jsonPath }) => jsonPath.slice(1)),
  }
}

function serve(definition: Definition, version: Version, shape: Shape, stored: Shape, options: DefineOptions): Served {
  const { resource, codec, head } = shape
  const { group, plural } = { group: resource.group, plural: resource.resource }
  const hasStatus = resource.subresources.some(({ name }) => name === 'status')
  const store = new ConvertedStore(options.store, {
    differs: entry => entry.modRevision < options.freshSince() || !startsWith(entry.value, head),
    load: entries => loaded(entries, shape, options.convert),
    save: value => (shape === stored ? value : saved(value, stored, options.convert)),
  })
  return {
    resource,
    codec,
    strategy: customStrategy({
      group,
      resource: plural,
      codec,
      hasStatus,
      selectable: resource.selectable ?? [],
      isTerminating: options.isTerminating,
    }),
    prefix: `/registry/${group}/${plural}/`,
    head,
    // To upstream such objects are maps, which say even in a list what they are.
    itemStart: 1,
    hasStatus,
    custom: {
      store,
      isStale: entry => store.isStale(entry),
      columns: columnsOf(version.additionalPrinterColumns),
      scale: version.subresources?.scale,
      deprecation: version.deprecated ? (version.deprecationWarning ?? deprecationOf(definition, version)) : undefined,
      schema: schemaOf(version),
      watches: options.watches,
      convert: async (object, wanted) =>
        object.apiVersion === wanted ? object : (await options.convert([object], wanted))[0]!,
    },
  }
}

/** Points to a newer version that is not deprecated, if there is one. */
function deprecationOf({ spec }: Definition, { name }: Version): string {
  const { group, names, versions } = spec
  const newer = versions.find(other => other.served && !other.deprecated && byVersion(other.name, name) < 0)
  const instead = newer ? `; use ${group}/${newer.name} ${names.kind}` : ''
  return `${group}/${name} ${names.kind} is deprecated${instead}`
}

const startsWith = (value: Bytes, head: Buffer) =>
  value.length >= head.length && head.equals(value.subarray(0, head.length))

const parsed = ({ buffer, byteOffset, byteLength }: Bytes): KubeObject =>
  JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString())

/** Read as if it came from a client of this version: what the schema does not know goes, what it knows to default is there. */
function loaded(entries: Entry[], { resource, codec }: Shape, convert: Convert): Bytes[] | Promise<Bytes[]> {
  const wanted = apiVersion(resource)
  const objects = entries.map(({ value }) => parsed(value))
  const others = objects.filter(object => object.apiVersion !== wanted)
  const finish = (converted: KubeObject[]) => {
    const next = converted.values()
    return objects.map(original => {
      const { object } = codec.decode(original.apiVersion === wanted ? original : next.next().value)
      codec.default(object)
      return codec.encode(object)
    })
  }
  const converted = others.length ? convert(others, wanted) : []
  return converted instanceof Promise ? converted.then(finish) : finish(converted)
}

function saved(value: Bytes, { resource, codec }: Shape, convert: Convert): Bytes | Promise<Bytes> {
  const converted = convert([parsed(value)], apiVersion(resource))
  const finish = ([object]: KubeObject[]) => codec.encode(codec.decode(object).object)
  return converted instanceof Promise ? converted.then(finish) : finish(converted)
}
