import type { OpenApiV3 } from './documents.ts'
import type { Operation, PathItem } from './operations.ts'
import type { Parameter } from './parameters.ts'
import type { Schema } from './schema.ts'

/** Version 2 knows no alternatives: what may be one of two types is given as a string. */
const ALTERNATIVES: Record<string, Schema> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'string' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: 'string', format: 'int-or-string' },
}

/** Words of version 3 that version 2 does not have, as schemas of custom resources use them. */
const UNKNOWN = ['oneOf', 'anyOf', 'not', 'nullable']

/** The same API in the older form. */
export function openApiV2({ info, paths, components }: OpenApiV3): object {
  const definitions = Object.entries(components.schemas).map(([name, schema]) => [name, definition(name, schema)])
  return {
    swagger: '2.0',
    info,
    paths: Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, pathItem(item as PathItem)])),
    definitions: Object.fromEntries(definitions),
    securityDefinitions: components.securitySchemes,
    security: [{ BearerToken: [] }],
  }
}

function definition(name: string, schema: Schema): Schema {
  const alternative = ALTERNATIVES[name]
  return alternative
    ? { ...(schema.description ? { description: schema.description } : {}), ...alternative }
    : convert(schema)
}

/**
 * References stand beside their descriptions here, no defaults are told, and what version 2 has no word for is left out.
 */
function convert({ allOf, ...schema }: Schema): Schema {
  const converted: Schema = { ...schema, ...(allOf?.[0]?.$ref ? allOf[0] : {}) }
  for (const word of UNKNOWN) delete converted[word as 'oneOf']
  if (converted.$ref) converted.$ref = converted.$ref.replace('#/components/schemas/', '#/definitions/')
  delete converted.default
  if (schema.items) converted.items = convert(schema.items)
  if (typeof schema.additionalProperties === 'object')
    converted.additionalProperties = convert(schema.additionalProperties)
  if (schema.properties)
    converted.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [name, convert(field)]),
    )
  return converted
}

function pathItem(item: PathItem): object {
  const converted = Object.entries(item).map(([key, value]) => [
    key,
    Array.isArray(value) ? value.map(parameter) : operation(value),
  ])
  return Object.fromEntries(converted)
}

type Content = { content?: Record<string, { schema: Schema }> }

function operation({ requestBody, responses, parameters = [], ...rest }: Operation): object {
  const body = requestBody as (Content & { required?: boolean }) | undefined
  const sent = body && {
    name: 'body',
    in: 'body',
    ...(body.required ? { required: true } : {}),
    schema: schemaOf(body),
  }
  const answers = Object.entries(responses as Record<string, Content & { description: string }>).map(
    ([code, answer]) => [
      code,
      { description: answer.description, ...(answer.content ? { schema: schemaOf(answer) } : {}) },
    ],
  )
  const all = [...(sent ? [sent] : []), ...parameters.map(parameter)]
  return {
    ...rest,
    consumes: Object.keys(body?.content ?? { '*/*': {} }),
    produces: Object.keys((responses[200] as Content | undefined)?.content ?? {}),
    schemes: ['https'],
    ...(all.length ? { parameters: all } : {}),
    responses: Object.fromEntries(answers),
  }
}

const schemaOf = ({ content }: Content) => convert(Object.values(content!)[0]!.schema)

const parameter = ({ schema, ...rest }: Parameter) => ({ ...rest, ...schema })
