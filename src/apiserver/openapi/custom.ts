import type { Resource } from '../../api/index.ts'
import type { JsonSchema } from '../../encoding/index.ts'
import type { Descriptions } from './descriptions.ts'
import type { Schema } from './schema.ts'
import { refTo } from './schemas.ts'

/** The schemas of a custom resource and of its list, by their types; what every object has is put in. */
export function customSchemas(resource: Resource, given: JsonSchema, descriptions: Descriptions): [string, Schema][] {
  const { type, kind } = resource
  const prose = descriptions['core/v1.Pod'] ?? {}
  const listProse = descriptions['core/v1.PodList'] ?? {}
  const texts = (of: Record<string, string>): Record<string, Schema> => ({
    apiVersion: { ...described(of.apiVersion), type: 'string' },
    kind: { ...described(of.kind), type: 'string' },
  })
  const schema = given as Schema
  const object: Schema = {
    ...schema,
    type: 'object',
    properties: {
      ...texts(prose),
      metadata: { ...described(prose.metadata), allOf: [{ $ref: refTo('meta/v1.ObjectMeta') }] },
      ...withoutMeta(schema.properties),
    },
  }
  const list: Schema = {
    description: `${kind}List is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...texts(listProse),
      items: {
        description: `List of ${resource.resource}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
        type: 'array',
        items: { $ref: refTo(type) },
      },
      metadata: { ...described(listProse.metadata), allOf: [{ $ref: refTo('meta/v1.ListMeta') }] },
    },
  }
  const kindOf = (name: string) => ({
    'x-kubernetes-group-version-kind': [{ group: resource.group, kind: name, version: resource.version }],
  })
  return [
    [type, { ...object, ...kindOf(kind) }],
    [`${type}List`, { ...list, ...kindOf(`${kind}List`) }],
  ]
}

const described = (description: string | undefined): Schema => (description ? { description } : {})

function withoutMeta(properties: Record<string, Schema> = {}): Record<string, Schema> {
  const { apiVersion: _, kind: __, metadata: ___, ...own } = properties
  return own
}
