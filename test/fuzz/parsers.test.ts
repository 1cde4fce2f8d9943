import assert from 'node:assert/strict'
import { canonicalQuantity, FieldSelector, LabelSelector } from '../../src/api/index.ts'
import { jsonPath } from '../../src/apiserver/crd/json-path.ts'
import {
  codecFor,
  DecodeError,
  encodeProtobuf,
  parseJson,
  parseProtobuf,
  SyntaxProblem,
} from '../../src/encoding/index.ts'
import { pathsOf, readFieldSet } from '../../src/patch/apply/field-set.ts'
import { corpus, fuzz } from '../support/fuzz.ts'

/** What is refused is refused with a text; the rest is what `parse` makes of it. */
function attempt<T>(parse: () => T, refusal: new (...of: never[]) => Error = Error): T | undefined {
  try {
    return parse()
  } catch (error) {
    assert.ok(error instanceof refusal && !(error instanceof TypeError), error as Error)
    assert.ok((error as Error).message)
    return undefined
  }
}

fuzz('field-set', input => {
  const read = attempt(() => parseJson(input), SyntaxProblem)
  const set = read && attempt(() => readFieldSet(read.value), SyntaxError)
  if (!set) return
  assert.ok(pathsOf(set).every(path => path.length > 0))
  // What is canonical is read as it is.
  assert.equal(JSON.stringify(readFieldSet(set)), JSON.stringify(set))
})

fuzz('label-selector', input => {
  const text = input.toString()
  const selector = attempt(() => LabelSelector.parse(text))
  if (!selector) return
  selector.matches({ app: 'web', size: '4' })
  assert.equal(LabelSelector.parse(selector.toString()).toString(), selector.toString())
})

fuzz('field-selector', input => {
  const text = input.toString()
  attempt(() => FieldSelector.parse(text))?.matches({ 'metadata.name': 'web' })
})

const [sample] = corpus('json').values()
const document = JSON.parse(sample!.toString())

fuzz('json-path', input => {
  const text = input.toString()
  assert.ok(Array.isArray(attempt(() => jsonPath(text))?.(document) ?? []))
})

fuzz('quantity', input => {
  const text = input.toString()
  const canonical = attempt(() => canonicalQuantity(text))
  if (canonical !== undefined) assert.equal(canonicalQuantity(canonical), canonical)
})

const META = ['meta/v1.DeleteOptions', 'meta/v1.Status', 'meta/v1.PartialObjectMetadata']

fuzz('protobuf-meta', input => {
  for (const type of META) {
    const value = attempt(() => parseProtobuf(input, type))?.value
    const object = attempt(() => codecFor(type).decode(value ?? {}), DecodeError)?.object
    if (!object) continue
    const named = { ...object, kind: type.slice(type.indexOf('.') + 1), apiVersion: 'v1' }
    const message = encodeProtobuf(type, named)
    assert.deepEqual(
      encodeProtobuf(type, codecFor(type).decode(parseProtobuf(message, type).value).object as never),
      message,
    )
  }
})
