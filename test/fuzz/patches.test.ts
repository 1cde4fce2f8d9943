import assert from 'node:assert/strict'
import { type KubeObject, StatusError } from '../../src/api/index.ts'
import { type ParsedJson, parseJson, SyntaxProblem } from '../../src/encoding/index.ts'
import { Bench, type Loose } from '../../src/patch/apply/testing.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, PatchError } from '../../src/patch/index.ts'
import { corpus, fuzz } from '../support/fuzz.ts'

const document = JSON.parse([...corpus('json').values()][0]!.toString())
const shown = JSON.stringify(document)

/** What an input makes of the document, when it is a patch that fits it. Whatever it is, nothing else has changed. */
function patched(input: Buffer, apply: (patch: unknown) => unknown): { patch: unknown; result: unknown } | undefined {
  let read: ParsedJson
  try {
    read = parseJson(input)
  } catch (error) {
    assert.ok(error instanceof SyntaxProblem)
    return undefined
  }
  const { value: patch } = read
  const before = JSON.stringify(patch)
  try {
    return { patch, result: apply(patch) }
  } catch (error) {
    assert.ok(error instanceof PatchError, error as Error)
    assert.ok(error.code >= 400, error)
    return undefined
  } finally {
    assert.equal(JSON.stringify(document), shown)
    assert.equal(JSON.stringify(patch), before)
    assert.deepEqual(Object.keys(Object.prototype), [])
  }
}

fuzz('json-patch', input => {
  patched(input, patch => applyJsonPatch(document, patch))
})

fuzz('merge-patch', input => {
  const { patch, result } = patched(input, each => applyMergePatch(document, each)) ?? {}
  // To say it twice changes nothing more.
  if (patch !== undefined) assert.deepEqual(applyMergePatch(result, patch), result)
})

fuzz('strategic-merge-patch', input => {
  patched(input, patch => applyStrategicMergePatch(document, patch, 'core/v1.Pod'))
})

fuzz('apply', async input => {
  const configuration = objectIn(input)
  if (!configuration) return
  const pod = new Bench('core/v1.Pod')
  await pod.update('before', document)
  try {
    await pod.apply('applier', configuration, true)
  } catch (error) {
    assert.ok(error instanceof StatusError, error as Error)
    return
  } finally {
    assert.equal(JSON.stringify(document), shown)
  }
  const { spec } = pod.object as Loose & KubeObject
  await pod.apply('applier', configuration, true)
  assert.deepEqual((pod.object as Loose & KubeObject).spec, spec)
})

function objectIn(input: Buffer): Loose | undefined {
  try {
    const { value } = parseJson(input)
    return typeof value === 'object' && value !== null ? (value as Loose) : undefined
  } catch (error) {
    assert.ok(error instanceof SyntaxProblem)
    return undefined
  }
}
