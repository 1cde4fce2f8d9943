import { model } from '../../api/index.ts'
import { encodeProtobuf } from '../../encoding/index.ts'
import { parseAccept, takesIn } from './accept.ts'
import type { Context, Reply } from './context.ts'
import { indented } from './indent.ts'
import { yamlOf } from './yaml.ts'

/** The forms in which objects are answered, in the order in which a client gets them that does not mind. */
export const JSON_TYPE = 'application/json'
export const YAML_TYPE = 'application/yaml'
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'
export const MEDIA_TYPES = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]

/** What is made of an answer in JSON before it is sent: YAML, or JSON that people can read. */
export type Rewrite = 'yaml' | 'pretty'

/** What an object is to be shown as: `as=Table;v=v1;g=meta.k8s.io`. */
export interface Transform {
  /** `meta.k8s.io/v1` */
  version: string
  kind: string
}

export interface Negotiated {
  type: string
  transform?: Transform
  pretty: boolean
}

/**
 * The form that the client wants most of those that there are; undefined when it takes none. `allows` says whether an object
 * can be had in a form.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation
 */
export function negotiate(
  { headers }: Context['request'],
  allows: (type: string, transform?: Transform) => boolean,
): Negotiated | undefined {
  for (const { type: range, parameters } of parseAccept(headers.accept)) {
    const { as, g, v, pretty, stream } = parameters
    const transform = as ? { version: `${g}/${v}`, kind: as } : undefined
    if (stream && stream !== 'watch') continue
    for (const type of MEDIA_TYPES)
      if (takesIn(range, type) && !(stream && type === YAML_TYPE) && allows(type, transform))
        return { type, pretty: pretty === '1', ...(transform ? { transform } : {}) }
  }
  return undefined
}

/** Whether the client takes JSON as it comes, which most do. */
export function takesPlainJson({ request, query }: Context): boolean {
  const { accept } = request.headers
  return (!accept || accept === JSON_TYPE || accept === '*/*') && !wantsPretty(request, query)
}

/** Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation isPrettyPrint */
export function wantsPretty({ headers }: Context['request'], query: URLSearchParams): boolean {
  const asked = query.get('pretty')
  if (asked) return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(asked)
  // People at a command line or before a browser.
  return /^(?:curl|Wget|Mozilla\/5\.0)/.test(headers['user-agent'] ?? '')
}

/**
 * An answer in the form that the client wants. One whose type is set already has it, but for what is to be rewritten; any
 * other is JSON, of which a Status or a small object can be said in all forms.
 */
export function formatted(context: Context, reply: Reply): Reply | Promise<Reply> {
  if (reply.rewrite) return rewritten(reply, reply.rewrite)
  if (reply.type !== undefined || takesPlainJson(context)) return reply
  const { request, query } = context
  // What nobody can read is better than no answer.
  const chosen = negotiate(request, (_, transform) => !transform) ?? { type: JSON_TYPE, pretty: true }
  if (chosen.type === PROTOBUF_TYPE) return inProtobuf(reply)
  if (chosen.type === YAML_TYPE) return rewritten({ ...reply, type: YAML_TYPE }, 'yaml')
  return chosen.pretty || wantsPretty(request, query) ? rewritten(reply, 'pretty') : reply
}

const whole = ({ body }: Reply): Buffer => (Array.isArray(body) ? Buffer.concat(body) : body)

/** What is no object of the API stays as it is. */
function inProtobuf(reply: Reply): Reply {
  // Discovery has kinds that in JSON do not say their version.
  const { kind = '', apiVersion = 'v1', ...rest } = JSON.parse(whole(reply).toString()) as Partial<Kind>
  const type = typeOf({ kind, apiVersion })
  if (!type) return reply
  return { ...reply, type: PROTOBUF_TYPE, body: encodeProtobuf(type, { kind, apiVersion, ...rest }) }
}

interface Kind {
  kind: string
  apiVersion: string
}

/** The model's type of a kind: `core/v1.Pod`. */
export function typeOf({ kind, apiVersion }: Kind): string | undefined {
  const [version, group = ''] = apiVersion.split('/').reverse()
  // A group with another domain is a definition's.
  if (group.includes('.') && !group.endsWith('.k8s.io')) return undefined
  const folders = group ? [group.split('.')[0]] : ['core', 'meta']
  return folders.map(folder => `${folder}/${version}.${kind}`).find(type => model.has(type))
}

async function rewritten({ rewrite: _, ...reply }: Reply, as: Rewrite): Promise<Reply> {
  const json = whole(reply)
  return { ...reply, body: as === 'yaml' ? await yamlOf(json) : indented(json) }
}
