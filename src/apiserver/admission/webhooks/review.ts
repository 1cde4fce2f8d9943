import { type admission, errors, type meta, StatusError } from '../../../api/index.ts'
import type { WebhookClient } from '../../webhook/client.ts'
import type { Webhook } from './hooks.ts'

type Request = admission.AdmissionRequest

/** What a webhook says, checked. */
export interface Verdict {
  /** Parsed; only from a mutating webhook. */
  patch?: unknown
  warnings: string[]
}

const VERSIONS = ['v1', 'v1beta1']
const TIMEOUT = 10

/** The webhook could not be asked, or did not answer as it should; `failurePolicy` says what then. */
export class CallFailed extends Error {
  constructor(webhook: string, reason: string) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${reason}`)
  }
}

/** Asks one webhook. Rejects with a CallFailed, or with the StatusError of a denial. */
export async function review(
  client: WebhookClient,
  webhook: Webhook,
  request: Request,
  mutating: boolean,
): Promise<Verdict> {
  const version = webhook.admissionReviewVersions.find(each => VERSIONS.includes(each))
  if (!version)
    throw new CallFailed(
      webhook.name,
      `could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)`,
    )
  const asked = { kind: 'AdmissionReview', apiVersion: `admission.k8s.io/${version}`, request }
  const answer = await answerOf(client, webhook, asked)
  try {
    return judge(webhook.name, verified(answer, asked.apiVersion, request.uid, mutating))
  } catch (error) {
    if (error instanceof StatusError) throw error
    throw new CallFailed(webhook.name, `received invalid webhook response: ${(error as Error).message}`)
  }
}

async function answerOf(client: WebhookClient, webhook: Webhook, asked: object): Promise<Review> {
  try {
    const { clientConfig, timeoutSeconds = TIMEOUT } = webhook
    return ((await client.call(clientConfig, asked, timeoutSeconds)) ?? {}) as Review
  } catch (error) {
    throw new CallFailed(webhook.name, `failed to call webhook: ${(error as Error).message}`)
  }
}

/** As it comes: nothing of it is certain. */
interface Review {
  kind?: string
  apiVersion?: string
  response?: Partial<admission.AdmissionResponse> | null
}

/** Source: k8s.io/apiserver/pkg/admission/plugin/webhook/request VerifyAdmissionResponse */
function verified(
  { kind = '', apiVersion = '', response }: Review,
  expected: string,
  uid: string,
  mutating: boolean,
): Partial<admission.AdmissionResponse> {
  if (!response) throw new Error('webhook response was absent')
  // The older version left these out.
  if (expected.endsWith('beta1')) return mutating ? response : { ...response, patch: undefined }
  if (response.uid !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (kind !== 'AdmissionReview' || apiVersion !== expected)
    throw new Error(`expected webhook response of ${expected}, Kind=AdmissionReview, got ${apiVersion}, Kind=${kind}`)
  const { patch, patchType } = response
  if (!mutating && patch) throw new Error('validating webhook may not return response.patch')
  if (!mutating && patchType !== undefined) throw new Error('validating webhook may not return response.patchType')
  if (patch && patchType === undefined) throw new Error('webhook returned response.patch but not response.patchType')
  if (!patch && patchType !== undefined) throw new Error('webhook returned response.patchType but not response.patch')
  if (patchType !== undefined && patchType !== 'JSONPatch')
    throw new Error(`webhook returned invalid response.patchType of ${JSON.stringify(patchType)}`)
  return response
}

function judge(name: string, { allowed, status, patch, warnings }: Partial<admission.AdmissionResponse>): Verdict {
  const verdict = { warnings: (warnings ?? []).map(String) }
  if (allowed !== true) throw new Denied(name, status, verdict.warnings)
  return patch ? { ...verdict, patch: parsedPatch(patch) } : verdict
}

function parsedPatch(patch: string): unknown {
  try {
    return JSON.parse(Buffer.from(patch, 'base64').toString())
  } catch (error) {
    throw new Error(`undecodable patch: ${(error as Error).message}`)
  }
}

/** A webhook said no. Source: k8s.io/apiserver/pkg/admission/plugin/webhook/errors ToStatusErr */
export class Denied extends StatusError {
  readonly warnings: string[]

  constructor(webhook: string, result: meta.Status | undefined, warnings: string[]) {
    const { message, reason, details, code = 0 } = result ?? ({} as Partial<meta.Status>)
    const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`
    const why = message || reason
    super({
      status: 'Failure',
      message: why ? `${denied}: ${why}` : `${denied} without explanation`,
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
      code: Math.max(code, 400),
    })
    this.warnings = warnings
  }
}

/** Source: k8s.io/apiserver/pkg/admission/plugin/webhook/errors NewDryRunUnsupportedErr */
export const noDryRun = (webhook: string): StatusError =>
  errors.badRequest(`admission webhook ${JSON.stringify(webhook)} does not support dry run`)
