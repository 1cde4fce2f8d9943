import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { admission } from '../../../api/index.ts'
import type { Webhook } from './hooks.ts'
import { review } from './review.ts'

const V1 = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1' }
const webhook = { name: 'x.test.dev', admissionReviewVersions: ['v1'], clientConfig: {} } as Webhook
const request = { uid: 'u' } as admission.AdmissionRequest
const encoded = (patch: unknown) => Buffer.from(JSON.stringify(patch)).toString('base64')
const silent = { warn() {}, annotate() {} }

const ask = (answer: object, mutating = false, remarks = silent) =>
  review({ call: async () => answer as Record<string, unknown>, close() {} }, webhook, request, mutating, remarks)

const responded = (response: object, more: object = V1) => ({
  ...more,
  response: { uid: 'u', allowed: true, ...response },
})

/** An answer, and what upstream says of it after the name of the webhook. */
const refused: [what: string, answer: object, message: string, mutating?: boolean][] = [
  ['nothing', {}, 'received invalid webhook response: webhook response was absent'],
  ['no response', V1, 'received invalid webhook response: webhook response was absent'],
  ['no uid', { ...V1, response: {} }, 'received invalid webhook response: expected response.uid="u", got ""'],
  [
    'no kind',
    responded({}, {}),
    'received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=',
  ],
  [
    'the other version',
    responded({}, { ...V1, apiVersion: 'admission.k8s.io/v1beta1' }),
    'failed to call webhook: converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion',
  ],
  [
    'another kind',
    responded({}, { ...V1, kind: 'Foo' }),
    'failed to call webhook: no kind "Foo" is registered for version "admission.k8s.io/v1" in scheme "pkg/runtime/scheme.go:111"',
  ],
  [
    'a field of another type',
    responded({ allowed: 'yes' }),
    'failed to call webhook: json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool',
  ],
  [
    'a patch from who only judges',
    responded({ patch: encoded([]) }),
    'received invalid webhook response: validating webhook may not return response.patch',
  ],
  [
    'a patch of no type',
    responded({ patch: encoded([]) }),
    'received invalid webhook response: webhook returned response.patch but not response.patchType',
    true,
  ],
  [
    'a type of no patch',
    responded({ patchType: 'JSONPatch' }),
    'received invalid webhook response: webhook returned response.patchType but not response.patch',
    true,
  ],
  [
    'a patch of an unknown type',
    responded({ patch: encoded([{}]), patchType: 'MergePatch' }),
    'unsupported patch type "MergePatch"',
    true,
  ],
  [
    'a patch that is not base64',
    responded({ patch: '!!!', patchType: 'JSONPatch' }),
    'failed to call webhook: illegal base64 data at input byte 0',
    true,
  ],
  [
    'a patch that is not JSON',
    responded({ patch: Buffer.from('nope').toString('base64'), patchType: 'JSONPatch' }),
    "received undecodable patch in webhook response: invalid character 'o' in literal null (expecting 'u')",
    true,
  ],
  [
    'a patch that is no list',
    responded({ patch: encoded({}), patchType: 'JSONPatch' }),
    'received undecodable patch in webhook response: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    true,
  ],
]

/** The status of a denial, and what becomes of it. */
const denials: [result: object | undefined, code: number, message: string][] = [
  [undefined, 400, ' without explanation'],
  [{}, 400, ' without explanation'],
  [{ message: 'no' }, 400, ': no'],
  [{ reason: 'Forbidden' }, 400, ': Forbidden'],
  [{ message: 'no', reason: 'Forbidden', code: 403 }, 403, ': no'],
  [{ message: 'no', code: 200 }, 400, ': no'],
  [{ message: 'no', code: 418 }, 418, ': no'],
  [{ message: 'no', status: 'Success' }, 400, ': no'],
]

describe('an admission review', () => {
  for (const [what, answer, message, mutating] of refused)
    it(`is not answered by ${what}`, async () => {
      await assert.rejects(ask(answer, mutating), { message: `failed calling webhook "x.test.dev": ${message}` })
    })

  for (const [result, code, message] of denials)
    it(`is denied with ${JSON.stringify(result)}`, async () => {
      const status = { status: 'Failure', code, message: `admission webhook "x.test.dev" denied the request${message}` }
      await assert.rejects(ask(responded({ allowed: false, status: result })), (error: { status: object }) => {
        assert.partialDeepStrictEqual(error.status, status)
        return true
      })
    })

  it('takes a patch of no operations for none', async () => {
    for (const patch of [[], null])
      assert.deepEqual(await ask(responded({ patch: encoded(patch), patchType: 'X' }), true), {})
  })

  it('passes on what is remarked, of a denial too', async () => {
    const said: string[] = []
    const remarks = {
      warn: (text: string) => said.push(text),
      annotate: (...pair: string[]) => said.push(pair.join('=')),
    }
    const remarked = { allowed: false, warnings: ['careful'], auditAnnotations: { why: 'because' } }
    await assert.rejects(ask(responded(remarked), false, remarks as never))
    assert.deepEqual(said, ['x.test.dev/why=because', 'careful'])
  })
})
