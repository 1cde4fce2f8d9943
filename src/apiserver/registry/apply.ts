import { apiVersion, errors, is, type KubeObject, StatusError } from '../../api/index.ts'
import { conversionProblem, type ParsedJson, parseJson, parseYaml, SyntaxProblem } from '../../encoding/index.ts'
import { apply, isSameOwnership } from '../../patch/index.ts'
import type { Context } from '../pipeline/context.ts'
import { decodeValue, fieldValidation, jsonName } from '../pipeline/decode.ts'
import { asShown, emptyOf, setManagedFields, writeOf } from './ownership.ts'
import type { Call, Registry, Written } from './registry.ts'
import { update } from './update.ts'
import { checkName, checkNamespace } from './verbs.ts'

/** How often an object may come and go while it is being applied. */
const ATTEMPTS = 5

/**
 * Makes an object what a configuration says, and makes the object itself where there is none.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go applyPatcher
 */
export async function applyObject(registry: Registry, call: Call, context: Context): Promise<Written> {
  const { shown, subresource } = call
  const { query } = context
  const { configuration, checkRepeated } = await readConfiguration(context, call.warnings)
  const force = isTrue(query.get('force'))
  const write = writeOf(registry, call, call.manager!)
  const applied = async (stored?: KubeObject): Promise<KubeObject> => {
    const empty = emptyOf(shown)
    const live = stored ? asShown(shown, stored) : empty
    const outcome = await apply(write, { live, empty, configuration, kind: shown.resource, force })
    checkRepeated()
    if (stored && !outcome.object && isSameOwnership(outcome.managedFields, live.metadata.managedFields)) return stored
    const object = outcome.object ? decoded(call, outcome.object, configuration) : structuredClone(live)
    setManagedFields(object, outcome.managedFields)
    checkNamespace(call, object)
    checkName(call, object)
    if (!stored) checkFresh(call, object)
    const result = shown.conversion?.toStored(object) ?? object
    call.served.strategy.defaults?.(result)
    return result
  }
  const options = { relative: true, ...(subresource ? {} : { createInstead: () => applied() }) }
  // Who owns what has been settled here.
  const settled = { ...call, manager: undefined }
  for (let attempt = 1; ; attempt++) {
    try {
      return await update(registry, settled, applied, options)
    } catch (error) {
      if (attempt === ATTEMPTS || subresource || !is(error, 'AlreadyExists')) throw error
    }
  }
}

/** An absent object has no uid that a client could know. */
function checkFresh({ served, name }: Call, { metadata }: KubeObject): void {
  if (metadata.uid)
    throw errors.conflict(
      served.resource,
      name,
      `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`,
    )
}

function decoded({ shown }: Call, merged: KubeObject, configuration: KubeObject): KubeObject {
  const { resource, custom } = shown
  const value = { ...merged, kind: resource.kind, apiVersion: apiVersion(resource) }
  const refuse = (detail: string) => {
    const { namespace = '', name = '' } = configuration.metadata ?? {}
    const { group, version, kind } = resource
    const type = `${group}/${version}, Kind=${kind}`
    const problem = custom ? detail : (conversionProblem(resource.type, value) ?? detail)
    const message = `failed to convert new object (${namespace}/${name}; ${type}) to proper version: unable to convert unstructured object to ${type}: ${problem}`
    return new StatusError({ status: 'Failure', message, code: 500 })
  }
  const parsed = { value, duplicates: [] }
  return decodeValue(parsed, resource, shown.codec, 'Ignore', [], Buffer.alloc(0), refuse)
}

/** A configuration, and what it gives twice, which upstream only looks for when it could be applied. */
export interface Configuration {
  configuration: KubeObject
  /** Rejects with 400 or warns, as the client wants it. */
  checkRepeated(): void
}

/** The configuration as it was sent, of which clients mostly write the JSON that YAML also is. */
export async function readConfiguration({ query, body }: Context, warnings: string[]): Promise<Configuration> {
  const validation = fieldValidation(query, 'PatchOptions')
  const { value, repeated = [] } = await parse(await body())
  const name = jsonName(value)
  if (name !== 'object' && name !== 'null')
    throw undecodable(
      `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${name} into Go value of type map[string]interface {}`,
    )
  return {
    configuration: (value ?? {}) as KubeObject,
    checkRepeated() {
      if (validation === 'Ignore' || !repeated.length) return
      if (validation === 'Warn') return void warnings.push(...repeated.filter(text => !warnings.includes(text)))
      const found = `yaml: unmarshal errors:\n  ${repeated.join('\n  ')}`
      throw errors.badRequest(`error strict decoding YAML: ${CONVERTING}: ${found}`)
    },
  }
}

const CONVERTING = 'error converting YAML to JSON'

const undecodable = (detail: string) => errors.badRequest(`error decoding YAML: ${detail}`)

/** Only who looks for lines has to take JSON for the YAML that it is. */
async function parse(body: Buffer): Promise<ParsedJson> {
  try {
    const parsed = parseJson(body)
    if (!parsed.duplicates.length) return parsed
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
  }
  try {
    return await parseYaml(body)
  } catch (error) {
    if (error instanceof SyntaxProblem) throw undecodable(`${CONVERTING}: ${error.message}`)
    throw error
  }
}

/** As upstream reads a boolean of a query: whatever is neither absent, `0` nor `false`. */
export const isTrue = (value: string | null): boolean =>
  value !== null && value !== '0' && value.toLowerCase() !== 'false'
