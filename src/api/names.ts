import { isIPv4, isIPv6 } from 'node:net'

/**
 * The rules for names. Each function returns upstream's complaints, none when the name is right.
 * Source: k8s.io/apimachinery/pkg/util/validation, https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'

const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
const QUALIFIED_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`)

/** `TEXT (e.g. 'a',  or 'b', regex used for validation is '...')`: how upstream explains a pattern. */
function explain(text: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map(example => `'${example}', `).join(' or ')
  return `${text} (e.g. ${shown}regex used for validation is '${pattern}')`
}

/** Upstream counts bytes everywhere and says so where labels are concerned. */
type Unit = 'characters' | 'bytes'
const tooLong = (length: number, unit: Unit = 'characters') => `must be no more than ${length} ${unit}`

/** A rule of one pattern and, before it, a greatest length in bytes. */
function rule(
  pattern: string,
  complaint: string,
  longest = Number.POSITIVE_INFINITY,
  unit?: Unit,
): (value: string) => string[] {
  const matcher = whole(pattern)
  return value => {
    const problems: string[] = []
    if (Buffer.byteLength(value) > longest) problems.push(tooLong(longest, unit))
    if (!matcher.test(value)) problems.push(complaint)
    return problems
  }
}

const SUBDOMAIN_COMPLAINT = explain(SUBDOMAIN_TEXT, SUBDOMAIN, 'example.com')
const LABEL_COMPLAINT = explain(LABEL_TEXT, LABEL, 'my-name', '123-abc')
const label = whole(LABEL)
const subdomain = whole(SUBDOMAIN)

/** The names of most objects. */
export const dns1123SubdomainProblems = rule(SUBDOMAIN, SUBDOMAIN_COMPLAINT, 253)

const SEARCH_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SEARCH_DOMAIN = `${SEARCH_LABEL}(\\.${SEARCH_LABEL})*`
/** Where a resolver looks for names that are not complete: what DNS allows is wider than what objects may be called. */
export const searchDomainProblems = rule(
  SEARCH_DOMAIN,
  explain(SUBDOMAIN_TEXT.replace("'-' or '.'", "'_', '-' or '.'"), SEARCH_DOMAIN, 'example.com'),
  253,
)

/** The names of namespaces, containers and volumes. */
export function dns1123LabelProblems(name: string): string[] {
  const problems = Buffer.byteLength(name) > 63 ? [tooLong(63)] : []
  if (!label.test(name)) problems.push(subdomain.test(name) ? 'must not contain dots' : LABEL_COMPLAINT)
  return problems
}

/** The names of Services, and of what else must begin with a letter. */
export const dns1035LabelProblems = rule(LABEL_1035, explain(LABEL_1035_TEXT, LABEL_1035, 'my-name', 'abc-123'), 63)

const WILDCARD = `\\*\\.${SUBDOMAIN}`
const WILDCARD_TEXT =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
/** `*.example.com` */
export const wildcardSubdomainProblems = rule(WILDCARD, explain(WILDCARD_TEXT, WILDCARD, '*.example.com'), 253)

const EMPTY = 'must be non-empty'
const QUALIFIED_COMPLAINT = explain(QUALIFIED_TEXT, QUALIFIED, 'MyName', 'my.name', '123-abc')
const prefixPart = rule(SUBDOMAIN, SUBDOMAIN_COMPLAINT, 253, 'bytes')
const namePart = rule(QUALIFIED, QUALIFIED_COMPLAINT, 63, 'bytes')

/** Keys of labels, annotations, taints and extended resources: `name` or `example.com/name`. */
export function qualifiedNameProblems(value: string): string[] {
  const parts = value.split('/')
  if (parts.length > 2)
    return [
      `a valid label key ${QUALIFIED_COMPLAINT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  const name = parts.at(-1)!
  const ofName = name === '' ? [EMPTY, QUALIFIED_COMPLAINT] : namePart(name)
  const prefix = parts.length === 2 ? parts[0] : undefined
  const ofPrefix = prefix === undefined ? [] : prefix === '' ? [EMPTY] : prefixPart(prefix)
  return [...ofPrefix.map(problem => `prefix part ${problem}`), ...ofName.map(problem => `name part ${problem}`)]
}

export const labelKeyProblems = qualifiedNameProblems

const LABEL_VALUE = `(${QUALIFIED})?`
/** Values of labels. */
export const labelValueProblems = rule(
  LABEL_VALUE,
  explain(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    LABEL_VALUE,
    'MyValue',
    'my_value',
    '12345',
  ),
  63,
  'bytes',
)

const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*'
export const cIdentifierProblems = rule(
  C_IDENTIFIER,
  explain(
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
    C_IDENTIFIER,
    'my_name',
    'MY_NAME',
    'MyName',
  ),
)

const CONFIG_KEY = '[-._a-zA-Z0-9]+'
const configKey = rule(
  CONFIG_KEY,
  explain(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    CONFIG_KEY,
    'key.name',
    'KEY_NAME',
    'key-name',
  ),
  253,
)

/** `.` and `..` and what begins with two dots mean something else to a file system. */
function dotProblems(value: string): string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

/** Keys of ConfigMaps and Secrets. */
export const configMapKeyProblems = (key: string): string[] => [...configKey(key), ...dotProblems(key)]

/** Names of environment variables: any printable ASCII but `=`. */
export function envVarNameProblems(name: string): string[] {
  if (name === '') return [`environment variable name ${EMPTY}`]
  if (/^[ -<>-~]+$/.test(name)) return []
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** Names of container ports and of services' target ports. */
export function portNameProblems(name: string): string[] {
  const problems: string[] = []
  if (name.length > 15) problems.push(tooLong(15))
  if (!/^[-a-z0-9]+$/.test(name))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)')
  if (name.includes('--')) problems.push('must not contain consecutive hyphens')
  if (name !== '' && (name.startsWith('-') || name.endsWith('-'))) problems.push('must not begin or end with a hyphen')
  return problems
}

export const portNumberProblems = (port: number): string[] =>
  port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive']

/** Names that stand in paths: of RBAC objects, among others. */
export function pathSegmentProblems(name: string, prefix = false): string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  return ['/', '%'].filter(each => name.includes(each)).map(each => `may not contain '${each}'`)
}

const NOT_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
export const isIP = (value: string): boolean => isIPv4(value) || (isIPv6(value) && !value.includes('%'))
export const ipProblems = (value: string): string[] => (isIP(value) ? [] : [NOT_IP])
