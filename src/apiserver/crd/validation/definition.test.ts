import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { errors } from '../../../api/index.ts'
import type { JsonSchema } from '../../../encoding/index.ts'
import type { Definition } from '../conversion.ts'
import { loadGoRegexp } from '../go-regexp.ts'
import { definitionProblems } from './definition.ts'

type Loose = Record<string, unknown>

const definition = (spec: Loose = {}, version: Loose = {}, metadata: Loose = {}): Definition =>
  ({
    metadata: { name: 'foos.example.com', ...metadata },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } }, ...version },
      ],
      ...spec,
    },
    status: {},
  }) as unknown as Definition

const texts = (of: Definition) =>
  definitionProblems(of).map(problem => {
    const { message } = errors.invalid({ group: '', kind: 'K' }, 'n', [problem])
    return message.slice('K "n" is invalid: '.length).replaceAll('spec.validation.openAPIV3Schema', 'schema')
  })

/** What is wrong with a schema of the field `a`. */
const ofField = (a: JsonSchema & Loose) =>
  texts(definition({}, { schema: { openAPIV3Schema: { type: 'object', properties: { a } } } }))

describe('the validation of definitions', () => {
  before(loadGoRegexp)

  it('lets a plain one through', () => assert.deepEqual(texts(definition()), []))

  const definitions: [what: string, definition: Definition, problems: string[]][] = [
    [
      'its name',
      definition({}, {}, { name: 'x' }),
      ['metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group'],
    ],
    [
      'its scope',
      definition({ scope: 'World' }),
      ['spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"'],
    ],
    [
      'a schema for each version',
      definition({}, { schema: undefined }),
      ['spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required'],
    ],
    [
      'one storage version',
      definition({}, { storage: false }),
      [
        'spec.versions: Invalid value: [{"name":"v1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object"}}}]: must have exactly one version marked as storage version',
      ],
    ],
    [
      'where the numbers of a scale are',
      definition({}, { subresources: { scale: { specReplicasPath: '.status.x', statusReplicasPath: 'y' } } }),
      [
        'spec.subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
        'spec.subresources.scale.statusReplicasPath: Invalid value: "y": must be a simple json path starting with .',
      ],
    ],
    [
      'its columns',
      definition({}, { additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: '.spec' }] }),
      [
        'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
      ],
    ],
    [
      'its conversion',
      definition({ conversion: { strategy: 'Webhook' } }),
      [
        'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
        'spec.conversion.conversionReviewVersions: Required value',
      ],
    ],
    [
      'that it is of no protected group',
      definition({ group: 'apps.k8s.io' }, {}, { name: 'foos.apps.k8s.io' }),
      [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
  ]
  for (const [what, given, problems] of definitions)
    it(`checks ${what}`, () => assert.deepEqual(texts(given), problems))

  const fields: [what: string, schema: JsonSchema & Loose, problems: string[]][] = [
    ['a type', {}, ['schema.properties[a].type: Required value: must not be empty for specified object fields']],
    ['items', { type: 'array' }, ['schema.properties[a].items: Required value: must be specified']],
    [
      'no types in alternatives',
      { type: 'string', anyOf: [{ type: 'string' }] },
      ['schema.properties[a].anyOf[0].type: Forbidden: must be empty to be structural'],
    ],
    ['int or string', { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, []],
    [
      'that alternatives speak only of what is there',
      { type: 'object', properties: {}, oneOf: [{ properties: { b: { minimum: 1 } } }] },
      [
        'schema.properties[a].properties[b]: Required value: because it is defined in schema.properties[a].oneOf[0].properties[b]',
      ],
    ],
    [
      'patterns',
      { type: 'string', pattern: 'a(' },
      [
        `schema.properties[a].pattern: Invalid value: "a(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`a(\``,
      ],
    ],
    ['references', { type: 'object', $ref: '#/x' }, ['schema.properties[a].$ref: Forbidden: $ref is not supported']],
    [
      'properties beside additional ones',
      { type: 'object', properties: { b: { type: 'string' } }, additionalProperties: { type: 'string' } },
      [
        'schema.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive',
      ],
    ],
    [
      'keys of lists',
      {
        type: 'array',
        items: { type: 'object', properties: { k: { type: 'string' } } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k', 'l'],
      },
      [
        'schema.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        'schema.properties[a].x-kubernetes-list-map-keys: Invalid value: ["k","l"]: entries must all be names of item properties',
      ],
    ],
    [
      'defaults',
      { type: 'object', properties: { b: { type: 'integer' } }, default: { b: 'x', c: 1 } },
      [
        'schema.properties[a].default: Invalid value: {"b":"x","c":1}: must not have unknown fields',
        'schema.properties[a].default.b: Invalid value: "string": b in body must be of type integer: "string"',
      ],
    ],
  ]
  for (const [what, schema, problems] of fields) it(`checks ${what}`, () => assert.deepEqual(ofField(schema), problems))
})
