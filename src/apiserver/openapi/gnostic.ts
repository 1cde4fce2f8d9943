import { WireWriter } from '../../encoding/index.ts'

/** The number of a field, and what it holds: a scalar, one of the messages below, or with `[]` several of either. */
type Field = readonly [tag: number, type: string]

/** How a JSON value becomes a message. */
interface Message {
  /** Where its members of these names go. */
  fields?: Record<string, Field>
  /** Where its other members go, each as a message of its name and its value. */
  members?: Field
  /** Where those go whose name begins with `x-`. */
  extensions?: number
  /** The one field that the value goes into as a whole; of messages that hold one of several things. */
  whole?: (value: Record<string, unknown>) => Field
}

/** What parameters in the query, the path and elsewhere have at the same distance from each other. */
const described = { required: [1, 'bool'], in: [2, 'string'], description: [3, 'string'], name: [4, 'string'] } as const

/** Where a parameter is, to its field of a NonBodyParameter. */
const PLACES: Record<string, Field> = {
  query: [3, 'QueryParameterSubSchema'],
  path: [4, 'PathParameterSubSchema'],
}

/**
 * The messages that a document of Kubernetes is made of.
 * Source: openapi.v2 in https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto
 */
const MESSAGES: Record<string, Message> = {
  Document: {
    fields: {
      swagger: [1, 'string'],
      info: [2, 'Info'],
      paths: [8, 'Paths'],
      definitions: [9, 'Definitions'],
      security: [12, 'SecurityRequirement[]'],
      securityDefinitions: [13, 'SecurityDefinitions'],
    },
    extensions: 16,
  },
  Info: { fields: { title: [1, 'string'], version: [2, 'string'], description: [3, 'string'] }, extensions: 7 },
  SecurityRequirement: { members: [1, 'StringArray'] },
  StringArray: { whole: () => [1, 'string[]'] },
  SecurityDefinitions: { members: [1, 'SecurityDefinitionsItem'] },
  SecurityDefinitionsItem: { whole: () => [2, 'ApiKeySecurity'] },
  ApiKeySecurity: {
    fields: { type: [1, 'string'], name: [2, 'string'], in: [3, 'string'], description: [4, 'string'] },
    extensions: 5,
  },

  Paths: { members: [2, 'PathItem'], extensions: 1 },
  PathItem: {
    fields: {
      get: [2, 'Operation'],
      put: [3, 'Operation'],
      post: [4, 'Operation'],
      delete: [5, 'Operation'],
      options: [6, 'Operation'],
      head: [7, 'Operation'],
      patch: [8, 'Operation'],
      parameters: [9, 'ParametersItem[]'],
    },
    extensions: 10,
  },
  Operation: {
    fields: {
      tags: [1, 'string[]'],
      summary: [2, 'string'],
      description: [3, 'string'],
      operationId: [5, 'string'],
      produces: [6, 'string[]'],
      consumes: [7, 'string[]'],
      parameters: [8, 'ParametersItem[]'],
      responses: [9, 'Responses'],
      schemes: [10, 'string[]'],
      deprecated: [11, 'bool'],
      security: [12, 'SecurityRequirement[]'],
    },
    extensions: 13,
  },
  ParametersItem: { whole: ({ $ref }) => ($ref ? [2, 'JsonReference'] : [1, 'Parameter']) },
  JsonReference: { fields: { $ref: [1, 'string'], description: [2, 'string'] } },
  Parameter: { whole: value => (value.in === 'body' ? [1, 'BodyParameter'] : [2, 'NonBodyParameter']) },
  BodyParameter: {
    fields: {
      description: [1, 'string'],
      name: [2, 'string'],
      in: [3, 'string'],
      required: [4, 'bool'],
      schema: [5, 'Schema'],
    },
    extensions: 6,
  },
  NonBodyParameter: { whole: value => PLACES[String(value.in)]! },
  QueryParameterSubSchema: {
    fields: { ...described, type: [6, 'string'], format: [7, 'string'], uniqueItems: [20, 'bool'] },
    extensions: 23,
  },
  PathParameterSubSchema: {
    fields: { ...described, type: [5, 'string'], format: [6, 'string'], uniqueItems: [19, 'bool'] },
    extensions: 22,
  },
  Responses: { members: [1, 'ResponseValue'], extensions: 2 },
  ResponseValue: { whole: ({ $ref }) => ($ref ? [2, 'JsonReference'] : [1, 'Response']) },
  Response: { fields: { description: [1, 'string'], schema: [2, 'SchemaItem'] }, extensions: 5 },
  SchemaItem: { whole: () => [1, 'Schema'] },

  Definitions: { members: [1, 'Schema'] },
  Properties: { members: [1, 'Schema'] },
  Schema: {
    fields: {
      $ref: [1, 'string'],
      format: [2, 'string'],
      title: [3, 'string'],
      description: [4, 'string'],
      default: [5, 'Any'],
      multipleOf: [6, 'double'],
      maximum: [7, 'double'],
      exclusiveMaximum: [8, 'bool'],
      minimum: [9, 'double'],
      exclusiveMinimum: [10, 'bool'],
      maxLength: [11, 'int64'],
      minLength: [12, 'int64'],
      pattern: [13, 'string'],
      maxItems: [14, 'int64'],
      minItems: [15, 'int64'],
      uniqueItems: [16, 'bool'],
      maxProperties: [17, 'int64'],
      minProperties: [18, 'int64'],
      required: [19, 'string[]'],
      enum: [20, 'Any[]'],
      additionalProperties: [21, 'AdditionalPropertiesItem'],
      type: [22, 'TypeItem'],
      items: [23, 'ItemsItem'],
      allOf: [24, 'Schema[]'],
      properties: [25, 'Properties'],
      readOnly: [27, 'bool'],
      externalDocs: [29, 'ExternalDocs'],
      example: [30, 'Any'],
    },
    extensions: 31,
  },
  ExternalDocs: { fields: { description: [1, 'string'], url: [2, 'string'] } },
  AdditionalPropertiesItem: { whole: value => (typeof value === 'boolean' ? [2, 'bool'] : [1, 'Schema']) },
  TypeItem: { whole: () => [1, 'string[]'] },
  ItemsItem: { whole: () => [1, 'Schema[]'] },
  /** Free JSON is carried as the YAML that it is as well. */
  Any: { whole: () => [2, 'json'] },
}

const SCALARS: Record<string, (writer: WireWriter, tag: number, value: unknown) => void> = {
  string: (writer, tag, value) => writer.string(tag, value as string),
  bool: (writer, tag, value) => writer.varint(tag, value as boolean),
  int64: (writer, tag, value) => writer.varint(tag, value as number),
  double: (writer, tag, value) => writer.double(tag, value as number),
  json: (writer, tag, value) => writer.string(tag, `${JSON.stringify(value)}\n`),
}

/** A document of OpenAPI v2 as the message that clients ask for by the name of `com.github.proto-openapi.spec.v2`. */
export function encodeGnostic(document: object): Buffer {
  const writer = new WireWriter(2 * 1024 * 1024)
  writeMessage(writer, 'Document', document)
  return writer.finish()
}

function writeMessage(writer: WireWriter, type: string, value: object): void {
  const { fields = {}, members, extensions, whole } = MESSAGES[type]!
  if (whole) {
    writeField(writer, whole(value as Record<string, unknown>), value)
    return
  }
  for (const [name, member] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field) writeField(writer, field, member)
    else if (extensions && name.startsWith('x-')) writeMember(writer, [extensions, 'Any'], name, member)
    else if (members) writeMember(writer, members, name, member)
    else throw new Error(`a ${type} of OpenAPI v2 has no ${name}`)
  }
}

function writeField(writer: WireWriter, [tag, type]: Field, value: unknown): void {
  if (type.endsWith('[]')) {
    for (const item of [value].flat()) writeField(writer, [tag, type.slice(0, -2)], item)
    return
  }
  const scalar = SCALARS[type]
  if (scalar) scalar(writer, tag, value)
  else writer.message(tag, () => writeMessage(writer, type, value as object))
}

function writeMember(writer: WireWriter, [tag, type]: Field, name: string, value: unknown): void {
  writer.message(tag, () => {
    writer.string(1, name)
    writeField(writer, [2, type], value)
  })
}
