import { type admission, errors, type meta, StatusError } from '../../../api/index.ts'
import { codecFor, isObject, parseJson, SyntaxProblem } from '../../../encoding/index.ts'
import { jsonType, Refused } from '../../webhook/answer.ts'
import type { WebhookClient } from '../../webhook/client.ts'
import type { Webhook } from './hooks.ts'

type Request = admission.AdmissionRequest
type Review = Partial<admission.AdmissionReview>
type Response = Partial<admission.AdmissionResponse>

/** What a webhook says, checked. */
export interface Verdict {
  /** The operations of a JSON patch; only from a mutating webhook, and never none. */
  patch?: unknown[]
}

/** Where what a webhook says besides goes. */
export interface Remarks {
  warn(text: string): void
  annotate(key: string, value: string): void
}

const GROUP = 'admission.k8s.io'
const VERSIONS = ['v1', 'v1beta1']
const KIND = 'AdmissionReview'
const TIMEOUT = 10
const BAD_REQUEST = 400
const UNAVAILABLE = 503

/** The webhook could not be asked, or did not answer as it should; `failurePolicy` says what then. */
export class CallFailed extends Error {
  /** Of HTTP: the webhook's own, or what stands for having none. */
  readonly code: number

  constructor(webhook: string, reason: string, code = UNAVAILABLE) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${reason}`)
    this.code = code
  }
}

/** Asks one webhook. Rejects with a CallFailed, or with the StatusError of a denial. */
export async function review(
  client: WebhookClient,
  webhook: Webhook,
  request: Request,
  mutating: boolean,
  remarks: Remarks,
): Promise<Verdict> {
  const { name } = webhook
  const version = webhook.admissionReviewVersions.find(each => VERSIONS.includes(each))
  if (!version)
    throw new CallFailed(
      name,
      'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
      BAD_REQUEST,
    )
  const asked = { kind: KIND, apiVersion: `${GROUP}/${version}`, request }
  const answer = await answerOf(client, webhook, asked)
  const response = verified(webhook, answer, asked.apiVersion, request.uid, mutating)
  for (const [key, value] of Object.entries(response.auditAnnotations ?? {})) remarks.annotate(`${name}/${key}`, value)
  for (const text of response.warnings ?? []) remarks.warn(text)
  if (!response.allowed) throw denial(name, response.status)
  const patch = response.patch ? operationsOf(name, response.patch) : []
  if (!patch.length) return {}
  if (response.patchType !== 'JSONPatch')
    throw new CallFailed(name, `unsupported patch type ${JSON.stringify(response.patchType)}`, BAD_REQUEST)
  return { patch }
}

async function answerOf(client: WebhookClient, webhook: Webhook, asked: Review): Promise<Review> {
  try {
    const { clientConfig, timeoutSeconds = TIMEOUT } = webhook
    return decoded(await client.call(clientConfig, asked, timeoutSeconds), asked.apiVersion!)
  } catch (error) {
    const code = error instanceof Refused ? error.code : undefined
    throw new CallFailed(webhook.name, `failed to call webhook: ${(error as Error).message}`, code)
  }
}

/** Both versions have the same fields. Throws an Error for what is of another kind, or has fields of other types. */
function decoded({ kind = '', apiVersion = '', ...rest }: Record<string, unknown>, expected: string): Review {
  const [group, version = ''] = String(apiVersion).split('/')
  const known = kind === KIND && group === GROUP && VERSIONS.includes(version)
  if (kind && apiVersion && !known)
    throw new Error(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  if (known && apiVersion !== expected)
    throw new Error(`converting (${version}.${KIND}) to (${expected.split('/')[1]}.${KIND}): unknown conversion`)
  const { object } = codecFor<never>('admission/v1.AdmissionReview').decode(rest)
  return { ...(object as Review), kind: String(kind), apiVersion: String(apiVersion) }
}

/** Source: k8s.io/apiserver/pkg/admission/plugin/webhook/request VerifyAdmissionResponse */
function verified(webhook: Webhook, answer: Review, expected: string, uid: string, mutating: boolean): Response {
  const { kind, apiVersion, response } = answer
  const invalid = (why: string) => new CallFailed(webhook.name, `received invalid webhook response: ${why}`)
  if (!response) throw invalid('webhook response was absent')
  // The older version left these out, and knows one type of patch.
  if (expected.endsWith('beta1')) return { ...response, ...(mutating ? { patchType: 'JSONPatch' } : { patch: '' }) }
  if (response.uid !== uid)
    throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid)}`)
  if (kind !== KIND || apiVersion !== expected)
    throw invalid(`expected webhook response of ${expected}, Kind=${KIND}, got ${apiVersion || '/'}, Kind=${kind}`)
  const { patch, patchType } = response
  if (!mutating && patch) throw invalid('validating webhook may not return response.patch')
  if (!mutating && patchType !== undefined) throw invalid('validating webhook may not return response.patchType')
  if (patch && patchType === undefined) throw invalid('webhook returned response.patch but not response.patchType')
  if (!patch && patchType !== undefined) throw invalid('webhook returned response.patchType but not response.patch')
  if (patchType === '') throw invalid('webhook returned invalid response.patchType of ""')
  return response
}

function operationsOf(webhook: string, patch: string): unknown[] {
  const undecodable = (why: string) => new CallFailed(webhook, `received undecodable patch in webhook response: ${why}`)
  const wrong = (value: unknown, type: string) =>
    undecodable(`json: cannot unmarshal ${jsonType(value)} into Go value of type jsonpatch.${type}`)
  let value: unknown
  try {
    value = parseJson(Buffer.from(patch, 'base64')).value
  } catch (error) {
    if (error instanceof SyntaxProblem) throw undecodable(error.message)
    throw error
  }
  if (value === null) return []
  if (!Array.isArray(value)) throw wrong(value, 'Patch')
  for (const operation of value) if (!isObject(operation)) throw wrong(operation, 'Operation')
  return value
}

/** A webhook said no. Source: k8s.io/apiserver/pkg/admission/plugin/webhook/errors ToStatusErr */
export function denial(webhook: string, result: Partial<meta.Status> = {}): StatusError {
  const { message, reason, status, code = 0 } = result
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`
  const why = message || reason
  return new StatusError({
    ...result,
    status: status && status !== 'Success' ? status : 'Failure',
    message: why ? `${denied}: ${why}` : `${denied} without explanation`,
    code: Math.max(code, BAD_REQUEST),
  })
}

/** Source: k8s.io/apiserver/pkg/admission/plugin/webhook/errors NewDryRunUnsupportedErr */
export const noDryRun = (webhook: string): StatusError =>
  errors.badRequest(`admission webhook ${JSON.stringify(webhook)} does not support dry run`)
