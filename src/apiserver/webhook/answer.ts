import { isObject, parseJson, parseYaml, SyntaxProblem } from '../../encoding/index.ts'

/** What comes back from a webhook, read as Go's client reads it and complained of in its words. */

export interface Answer {
  status: number
  /** Content-Type; empty when there was none. */
  type: string
  body: Buffer
}

/** An answer that is not what was asked for; its message needs no address. */
export class Refused extends Error {
  /** Of HTTP, when that was the reason. */
  readonly code: number | undefined
  constructor(message: string, code?: number) {
    super(message)
    this.code = code
  }
}

/** Characters of a failure that are repeated to the client. Source: k8s.io/client-go/rest maxUnstructuredResponseTextBytes */
const MOST_SHOWN = 2048

/** The object in the body. Rejects with a Refused when there is none, or the answer is a failure. */
export async function bodyOf({ status, type, body }: Answer): Promise<Record<string, unknown>> {
  if (status < 200 || status > 206) throw failure({ status, type, body })
  if (!body.length)
    throw new Refused(`0-length response with status code: ${status} and content type: ${type || 'application/json'}`)
  const value = await parsed(body)
  if (isObject(value)) {
    if (value.kind === 'Status' && value.apiVersion === 'v1') throw new Refused(String(value.message ?? 'unknown'))
    return value
  }
  if (value === null || value === undefined) return {}
  throw new Refused(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(value)} into Go value of type ${HEAD}`,
  )
}

const HEAD = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** What Go calls a value of JSON that is not what it wants. */
export const jsonType = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

/** What does not look like an object in JSON is taken for YAML. */
async function parsed(body: Buffer): Promise<unknown> {
  try {
    const looksLikeJson = /^\s*\{/.test(body.toString('latin1', 0, 100))
    return (looksLikeJson ? parseJson(body) : await parseYaml(body)).value
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    throw new Refused(`couldn't get version/kind; json parse error: ${error.message}`)
  }
}

/** A Status in the body says more than the number. */
function failure({ status, type, body }: Answer): Refused {
  try {
    const told = JSON.parse(body.toString())
    if (told?.kind === 'Status' && told.apiVersion === 'v1' && told.status !== 'Success')
      return new Refused(String(told.message ?? ''), told.code ?? status)
  } catch {}
  const text = !type || type.startsWith('text/')
  return new Refused(textOf(status, text ? body.toString('utf8', 0, MOST_SHOWN).trim() : 'unknown'), status)
}

/** Source: k8s.io/apimachinery/pkg/api/errors NewGenericServerResponse */
const TEXTS: Record<number, string> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
}

function textOf(status: number, said: string): string {
  const known = TEXTS[status]
  if (known) return known
  if (status === 403 || status === 415) return said
  if (status === 406)
    return said && said !== 'unknown'
      ? said
      : 'the server was unable to respond with a content type that the client supports'
  if (status >= 500) return `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`
  return `the server responded with the status code ${status} but did not return more information`
}
