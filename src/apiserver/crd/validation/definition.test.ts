import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { errors, type FieldError } from '../../../api/index.ts'
import { codecFor, type JsonSchema } from '../../../encoding/index.ts'
import { loadGoRegexp } from '../../cel/go-regexp.ts'
import type { Definition } from '../conversion.ts'
import { definitionStrategy } from '../definition-strategy.ts'
import { definitionProblems } from './definition.ts'

/** What kube-apiserver 1.36.3 says of definitions, and of the schema of one field. */
interface Cases {
  definitions: {
    what: string
    name?: string
    annotations?: Record<string, string>
    spec: Definition['spec']
    problems: string[]
  }[]
  fields: [schema: JsonSchema, problems: string[]][]
}

const cases: Cases = JSON.parse(readFileSync(new URL('../testdata/definitions.json', import.meta.url), 'utf8'))

/** As the server has it when it comes to be judged. */
async function received(spec: unknown, metadata: object = {}): Promise<Definition> {
  const codec = codecFor<Definition>('apiextensions/v1.CustomResourceDefinition')
  const { names, group } = spec as Definition['spec']
  const { object } = codec.decode({ metadata: { name: `${names?.plural}.${group}`, ...metadata }, spec })
  codec.default(object)
  definitionStrategy.defaults!(object)
  await definitionStrategy.prepareCreate!(object, undefined as never)
  return object
}

const texts = (problems: FieldError[]): string[] =>
  (errors.invalid({ group: '', kind: 'K' }, 'n', problems).status.details?.causes ?? [])
    .map(({ field, message }) => `${field}: ${message}`)
    .sort()

const withField = (a: JsonSchema) => ({
  group: 'example.com',
  scope: 'Namespaced',
  names: { plural: 'foos', kind: 'Foo' },
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      schema: {
        openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { a } } } },
      },
    },
  ],
})

const PATH = 'spec.validation.openAPIV3Schema'
const shortened = (text: string) =>
  text.replaceAll(`${PATH}.properties[spec].properties[a]`, 'a').replaceAll(PATH, 'schema')

describe('the validation of definitions', () => {
  before(loadGoRegexp)

  it('says what upstream says of a definition', async () => {
    for (const { what, name, annotations, spec, problems } of cases.definitions) {
      const metadata = { ...(name === undefined ? {} : { name }), ...(annotations ? { annotations } : {}) }
      const found = texts(definitionProblems(await received(spec, metadata)))
      assert.deepEqual(found, problems, what)
    }
  })

  it('says what upstream says of a schema', async () => {
    for (const [schema, problems] of cases.fields) {
      const found = texts(definitionProblems(await received(withField(schema)))).map(shortened)
      assert.deepEqual(found.sort(), [...problems].sort(), JSON.stringify(schema))
    }
  })
})
