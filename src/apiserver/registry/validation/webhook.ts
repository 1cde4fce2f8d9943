import { type FieldError, names } from '../../../api/index.ts'
import { invalid, required } from './field.ts'

/** What is configured of servers that this one calls. Source: k8s.io/apiserver/pkg/util/webhook/validation.go */

const FORM = '; desired format: https://host[/path]'

/** As Go's url.Parse takes an address apart, which unlike a browser changes nothing of it. */
const URL_PARTS = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^/?#]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s

export function webhookUrlProblems(field: string, url: string): FieldError[] {
  const fault = urlFault(url)
  if (fault) return [required(field, `url must be a valid URL: parse ${JSON.stringify(url)}: ${fault}${FORM}`)]
  const [, scheme = '', user, host = '', , query, fragment] = URL_PARTS.exec(url)!
  const problems: FieldError[] = []
  if (scheme.toLowerCase() !== 'https')
    problems.push(invalid(field, scheme.toLowerCase(), `'https' is the only allowed URL scheme${FORM}`))
  if (!host) problems.push(invalid(field, host, `host must be specified${FORM}`))
  if (user !== undefined) problems.push(invalid(field, user, 'user information is not permitted in the URL'))
  if (fragment) problems.push(invalid(field, fragment, 'fragments are not permitted in the URL'))
  if (query) problems.push(invalid(field, query, 'query parameters are not permitted in the URL'))
  return problems
}

/** What Go finds wrong with an address as such. */
function urlFault(url: string): string | undefined {
  if (/\p{Cc}/u.test(url)) return 'net/url: invalid control character in URL'
  if (url.startsWith(':')) return 'missing protocol scheme'
  const broken = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(url)?.[0]
  if (broken) return `invalid URL escape ${JSON.stringify(broken)}`
  const host = URL_PARTS.exec(url)?.[3] ?? ''
  const port = /^(?:\[[^\]]*\]|[^:]*)(:.*)$/.exec(host)?.[1]
  if (port !== undefined && !/^:\d*$/.test(port)) return `invalid port ${JSON.stringify(port)} after host`
  const character = /[ "<>\\^`{|}]/.exec(host)?.[0]
  return character && `invalid character ${JSON.stringify(character)} in host name`
}

export interface WebhookService {
  namespace?: string
  name?: string
  path?: string
  port?: number
}

export function webhookServiceProblems(
  field: string,
  { namespace, name, path, port = 443 }: WebhookService,
): FieldError[] {
  const problems: FieldError[] = []
  if (!name) problems.push(required(`${field}.name`))
  if (!namespace) problems.push(required(`${field}.namespace`))
  if (port < 1 || port > 65535)
    problems.push(invalid(`${field}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'))
  return [...problems, ...(path ? pathProblems(`${field}.path`, path) : [])]
}

function pathProblems(field: string, path: string): FieldError[] {
  if (path === '/') return []
  if (path === '//') return [invalid(field, path, 'segment[0] may not be empty')]
  const problems = path.startsWith('/') ? [] : [invalid(field, path, "must start with a '/'")]
  const segments = path.slice(1).replace(/\/$/, '').split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment === '') problems.push(invalid(field, path, `segment[${index}] may not be empty`))
    else
      for (const detail of names.dns1123SubdomainProblems(segment))
        problems.push(invalid(field, path, `segment[${index}]: ${detail}`))
  }
  return problems
}

/** Certificates that answers are trusted by, base64. */
export function caBundleProblems(field: string, bundle: string): FieldError[] {
  const text = Buffer.from(bundle, 'base64').toString('latin1')
  if (/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.test(text)) return []
  return [invalid(field, bundle, 'unable to load root certificates: unable to parse bytes as PEM block')]
}
