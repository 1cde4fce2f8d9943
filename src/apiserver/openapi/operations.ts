import { apiVersion, listType, model, type Resource, type Subresource } from '../../api/index.ts'
import { returnsDeleted } from '../registry/returned.ts'
import * as parameters from './parameters.ts'
import type { Schema } from './schema.ts'
import { refTo } from './schemas.ts'

export interface Operation {
  tags: string[]
  description: string
  operationId: string
  parameters?: parameters.Parameter[]
  requestBody?: object
  responses: Record<string, object>
  'x-kubernetes-action'?: string
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }
}

/** An operation of each method (lower case), and the parameters that all of them take. */
export type PathItem = Record<string, Operation | parameters.Parameter[]>

/** One operation of a resource, before it is written out. */
interface Verb {
  method: string
  /** Of an operationId: `read`, `replace`. */
  word: string
  action: string
  description: string
  query: parameters.Parameter[]
  /** The model's type of the body that is sent. */
  sends?: string
  /** What a success answers: the model's type; a string when absent. */
  answers?: string
  codes: number[]
}

const JSON_TYPE = 'application/json'
const BODIES = [JSON_TYPE, 'application/yaml', 'application/vnd.kubernetes.protobuf']
const STREAMED = [...BODIES, 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
/** What a custom resource takes: nothing tells how to merge its lists. */
const CUSTOM_PATCHES = PATCHES.filter(type => !type.includes('strategic'))
const WORDS: Record<number, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }
const METHODS: Record<string, string> = { create: 'post', delete: 'delete', get: 'get', patch: 'patch', update: 'put' }

/** Every path of a resource with its operations. */
export function pathsOf(resource: Resource): [path: string, item: PathItem][] {
  const root = `${resource.group ? '/apis' : '/api'}/${apiVersion(resource)}`
  const collection = `${root}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.resource}`
  const item = `${collection}/{name}`
  const scope = resource.namespaced ? [parameters.namespace] : []
  const paths: [string, PathItem][] = [
    [collection, pathItem(resource, collectionVerbs(resource), [...scope, parameters.pretty])],
    [item, pathItem(resource, itemVerbs(resource), [parameters.name(resource.kind), ...scope, parameters.pretty])],
    ...resource.subresources.flatMap(subresource => subresourcePaths(resource, subresource, item, scope)),
  ]
  if (resource.namespaced && resource.verbs.includes('list'))
    paths.push([`${root}/${resource.resource}`, everywhere(resource)])
  if (model.has(resource.type) && resource.verbs.includes('watch')) paths.push(...watchPaths(resource, root, scope))
  return paths.filter(([, item]) => Object.keys(item).some(method => method !== 'parameters'))
}

function collectionVerbs(resource: Resource): Verb[] {
  const { kind, type, verbs } = resource
  const found: (Verb | false)[] = [
    verbs.includes('list') && listVerb(resource),
    verbs.includes('create') && createVerb({ kind, type }),
    verbs.includes('deletecollection') && {
      method: 'delete',
      word: 'deleteCollection',
      action: 'deletecollection',
      description: `delete collection of ${kind}`,
      query: parameters.deletingCollection,
      sends: 'meta/v1.DeleteOptions',
      answers: 'meta/v1.Status',
      codes: [200],
    },
  ]
  return found.filter(verb => verb !== false)
}

const listVerb = (resource: Resource): Verb => ({
  method: 'get',
  word: 'list',
  action: 'list',
  description: `list or watch objects of kind ${resource.kind}`,
  query: parameters.listing,
  answers: listType(resource),
  codes: [200],
})

const createVerb = ({ kind, type }: { kind: string; type: string }, of = a(kind)): Verb => ({
  method: 'post',
  word: 'create',
  action: 'post',
  description: `create ${of}`,
  query: parameters.writing,
  sends: type,
  answers: type,
  codes: [200, 201, 202],
})

function itemVerbs(resource: Resource): Verb[] {
  const { kind, type, verbs } = resource
  const changing = changingVerbs(verbs, type, `the specified ${kind}`)
  if (!verbs.includes('delete')) return changing
  const deleting: Verb = {
    method: 'delete',
    word: 'delete',
    action: 'delete',
    description: `delete ${a(kind)}`,
    query: parameters.deleting,
    sends: 'meta/v1.DeleteOptions',
    answers: returnsDeleted(resource) ? type : 'meta/v1.Status',
    codes: [200, 202],
  }
  return [...changing, deleting]
}

/** Read, replace and patch, of an object or of a part of it. */
function changingVerbs(verbs: string[], type: string, what: string): Verb[] {
  const all: Record<string, Verb> = {
    get: {
      method: 'get',
      word: 'read',
      action: 'get',
      description: `read ${what}`,
      query: [],
      answers: type,
      codes: [200],
    },
    update: {
      method: 'put',
      word: 'replace',
      action: 'put',
      description: `replace ${what}`,
      query: parameters.writing,
      sends: type,
      answers: type,
      codes: [200, 201],
    },
    patch: {
      method: 'patch',
      word: 'patch',
      action: 'patch',
      description: `partially update ${what}`,
      query: parameters.patching,
      sends: 'meta/v1.Patch',
      answers: type,
      codes: [200, 201],
    },
  }
  return Object.entries(all).flatMap(([verb, operation]) => (verbs.includes(verb) ? [operation] : []))
}

function subresourcePaths(
  resource: Resource,
  subresource: Subresource,
  item: string,
  scope: parameters.Parameter[],
): [string, PathItem][] {
  const { name, verbs, kind } = subresource
  const path = `${item}/${name}`
  const common = [parameters.name(kind), ...scope]
  if (kind.endsWith('Options')) {
    const connecting = connectPath(resource, subresource, [...common, ...parameters.connecting(kind)])
    if (name !== 'proxy') return [[path, connecting]]
    const further = connectPath(
      resource,
      subresource,
      [...common, parameters.path, ...parameters.connecting(kind)],
      'WithPath',
    )
    return [
      [path, connecting],
      [`${path}/{path}`, further],
    ]
  }
  const type = kind === resource.kind ? resource.type : typeOf(resource, subresource)
  const what = `${name} of the specified ${resource.kind}`
  const found = changingVerbs(verbs, type, what).map(verb => (name === 'log' ? logVerb(verb) : verb))
  if (verbs.includes('create')) found.push(createVerb({ kind, type }, `${name} of ${a(resource.kind)}`))
  return [[path, pathItem(resource, found, [...common, parameters.pretty], subresource)]]
}

/** The model's type of what a subresource exchanges. */
function typeOf(resource: Resource, { group = resource.group, version = resource.version, kind }: Subresource): string {
  return `${group.split('.')[0] || 'core'}/${version}.${kind}`
}

const logVerb = (verb: Verb): Verb => ({ ...verb, query: parameters.log, answers: undefined })

function everywhere(resource: Resource): PathItem {
  const operation = write(resource, listVerb(resource), { suffix: 'ForAllNamespaces', namespaced: false })
  const { parameters: query = [], ...rest } = operation
  return { get: rest, parameters: [...query, parameters.pretty] }
}

/** The old way to watch, in which the path says so. */
function watchPaths(resource: Resource, root: string, scope: parameters.Parameter[]): [string, PathItem][] {
  const { group, version, kind, namespaced, resource: plural } = resource
  const watch = (action: string, description: string, name: string, steps: parameters.Parameter[]): PathItem => ({
    get: {
      tags: [tagOf(resource)],
      description: `${description}. Deprecated: list with the parameter watch instead.`,
      operationId: `watch${groupOf(resource)}${name}`,
      responses: {
        200: { description: 'OK', content: contentOf(STREAMED, { $ref: refTo('meta/v1.WatchEvent') }) },
        401: unauthorized,
      },
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group, version, kind },
    },
    parameters: [...steps, parameters.pretty, ...parameters.listing],
  })
  const collection = `${root}/watch${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`
  const scoped = `${scopeOf(resource)}${kind}`
  const all = `watch what becomes of a list of ${kind}`
  const one = watch('watch', `watch what becomes of ${a(kind)}`, scoped, [parameters.name(kind), ...scope])
  const paths: [string, PathItem][] = [[collection, watch('watchlist', all, `${scoped}List`, scope)]]
  if (resource.verbs.includes('get')) paths.push([`${collection}/{name}`, one])
  if (namespaced) paths.push([`${root}/watch/${plural}`, watch('watchlist', all, `${kind}ListForAllNamespaces`, [])])
  return paths
}

/** What says which resources a group version has. */
export function discoveryPath(resource: Resource): [string, PathItem] {
  const { group } = resource
  const get: Operation = {
    tags: [tagOf(resource)],
    description: 'get available resources',
    operationId: `get${groupOf(resource)}APIResources`,
    responses: {
      200: { description: 'OK', content: contentOf(BODIES, { $ref: refTo('meta/v1.APIResourceList') }) },
      401: unauthorized,
    },
  }
  return [`${group ? '/apis' : '/api'}/${apiVersion(resource)}/`, { get }]
}

function connectPath(
  resource: Resource,
  { name, verbs, kind }: Subresource,
  common: parameters.Parameter[],
  suffix = '',
): PathItem {
  const item: PathItem = {}
  const methods =
    name === 'proxy'
      ? ['delete', 'get', 'head', 'options', 'patch', 'post', 'put']
      : verbs.map(verb => METHODS[verb]!).sort()
  for (const method of methods)
    item[method] = {
      tags: [tagOf(resource)],
      description: `connect ${method.toUpperCase()} requests to ${name} of ${resource.kind}`,
      operationId: `connect${groupOf(resource)}${capital(method)}${scopeOf(resource)}${resource.kind}${capital(name)}${suffix}`,
      responses: { 200: { description: 'OK', content: { '*/*': { schema: { type: 'string' } } } }, 401: unauthorized },
      'x-kubernetes-action': 'connect',
      'x-kubernetes-group-version-kind': { group: resource.group, version: resource.version, kind },
    }
  return { ...item, parameters: common }
}

function pathItem(
  resource: Resource,
  verbs: Verb[],
  common: parameters.Parameter[],
  subresource?: Subresource,
): PathItem {
  const options = { suffix: subresource ? capital(subresource.name) : '', subresource }
  const [first, ...more] = verbs
  // What all operations of a path take is said of the path.
  if (first && !more.length && first.query.length) {
    const { parameters: shared = [], ...operation } = write(resource, first, options)
    return { [first.method]: operation, parameters: [...common, ...shared] }
  }
  const item: PathItem = Object.fromEntries(verbs.map(verb => [verb.method, write(resource, verb, options)]))
  return { ...item, parameters: common }
}

interface WriteOptions {
  suffix: string
  namespaced?: boolean
  subresource?: Subresource
}

const unauthorized = { description: 'Unauthorized' }

function write(
  resource: Resource,
  verb: Verb,
  { suffix, namespaced = resource.namespaced, subresource }: WriteOptions,
): Operation {
  const { group, version, kind } = { ...resource, ...(subresource ? defined(subresource) : {}) }
  const [word, collection] = verb.word === 'deleteCollection' ? ['delete', 'Collection'] : [verb.word, '']
  const scope = namespaced ? 'Namespaced' : ''
  return {
    tags: [tagOf(resource)],
    description: verb.description,
    operationId: `${word}${groupOf(resource)}${collection}${scope}${resource.kind}${suffix}`,
    ...(verb.query.length ? { parameters: verb.query } : {}),
    ...(verb.sends ? { requestBody: requestBody(resource, verb) } : {}),
    responses: { ...Object.fromEntries(verb.codes.map(code => [code, response(code, verb)])), 401: unauthorized },
    'x-kubernetes-action': verb.action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  }
}

function requestBody({ type }: Resource, { method, sends }: Verb): object {
  const types = method !== 'patch' ? ['*/*'] : model.has(type) ? PATCHES : CUSTOM_PATCHES
  const content = contentOf(types, { $ref: refTo(sends!) })
  return method === 'delete' ? { content } : { content, required: true }
}

function response(code: number, { answers, word }: Verb): object {
  const types = !answers ? ['text/plain', ...BODIES] : word === 'list' ? STREAMED : BODIES
  return {
    description: WORDS[code],
    content: contentOf(types, answers ? { $ref: refTo(answers) } : { type: 'string' }),
  }
}

const contentOf = (types: string[], schema: Schema) => Object.fromEntries(types.map(type => [type, { schema }]))

const defined = ({ group, version, kind }: Subresource) => ({
  kind,
  ...(version ? { group: group ?? '', version } : {}),
})

const a = (kind: string) => `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

const scopeOf = ({ namespaced }: Resource) => (namespaced ? 'Namespaced' : '')

/** `RbacAuthorizationV1` */
function groupOf({ group, version }: Resource): string {
  const words = group ? group.replace(/\.k8s\.io$/, '').split('.') : ['core']
  return `${words.map(capital).join('')}${capital(version)}`
}

/** `rbacAuthorization_v1` */
function tagOf(resource: Resource): string {
  const name = groupOf(resource).slice(0, -resource.version.length)
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${resource.version}`
}

/** The types that the operations of a resource exchange. */
export function exchangedTypes(resource: Resource): string[] {
  const listed = resource.verbs.includes('list') ? [listType(resource), resource.type] : [resource.type]
  const parts = resource.subresources
    .filter(({ kind }) => !kind.endsWith('Options') && kind !== resource.kind)
    .map(subresource => typeOf(resource, subresource))
  return [...listed, ...parts]
}
