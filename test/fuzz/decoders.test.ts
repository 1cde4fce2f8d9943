import assert from 'node:assert/strict'
import {
  codecFor,
  DecodeError,
  encodeProtobuf,
  type ParsedJson,
  parseJson,
  parseProtobuf,
  parseYaml,
  SyntaxProblem,
} from '../../src/encoding/index.ts'
import { fuzz } from '../support/fuzz.ts'

const POD = 'core/v1.Pod'
const codec = codecFor(POD)

/** An object, written and read again, is the same object. */
function checkObject(value: unknown): void {
  let object: ReturnType<typeof codec.decode>['object']
  try {
    object = codec.decode(value).object
  } catch (error) {
    assert.ok(error instanceof DecodeError, error as Error)
    return
  }
  Object.assign(object, { kind: 'Pod', apiVersion: 'v1' })
  codec.default(object)
  codec.structural(object)
  const bytes = codec.encode(object)
  const again = codec.decode(parseJson(bytes).value)
  assert.deepEqual(again.strict, [])
  assert.equal(codec.encode(again.object).toString(), bytes.toString())
  const message = encodeProtobuf(POD, object)
  assert.deepEqual(encodeProtobuf(POD, codec.decode(parseProtobuf(message, POD).value).object), message)
}

/** What a parser refuses, it refuses as such. */
async function parsed(parse: () => ParsedJson | Promise<ParsedJson>): Promise<ParsedJson | undefined> {
  try {
    return await parse()
  } catch (error) {
    assert.ok(error instanceof SyntaxProblem || error instanceof DecodeError, error as Error)
    assert.ok(error.message)
    return undefined
  }
}

fuzz('json', async input => {
  const read = await parsed(() => parseJson(input))
  if (!read) return
  assert.deepEqual(read.value, JSON.parse(input.toString()))
  checkObject(read.value)
})

fuzz('yaml', async input => {
  const read = await parsed(() => parseYaml(input))
  if (!read) return
  assert.deepEqual(JSON.parse(JSON.stringify(read.value)), read.value)
  checkObject(read.value)
})

fuzz('protobuf', async input => {
  const read = await parsed(() => parseProtobuf(input, POD))
  if (read) checkObject(read.value)
})
