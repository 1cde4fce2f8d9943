import { isIPv4, isIPv6 } from 'node:net'
import { parseTime } from '../../api/index.ts'

const matches = (pattern: RegExp) => (text: string) => pattern.test(text)

const uuid = (version: string) =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i'))

/** Without the zeros that Go overlooks before a number, for the sake of what was written long ago. */
const plainIp = (text: string) => text.replace(/(^|[.:])0+(?=\d+(\.|$))/g, '$1')

const isIp4 = (text: string) => {
  const plain = plainIp(text)
  return isIPv4(plain) || (isIPv6(plain) && /^::ffff:(0:)?\d+\.\d+\.\d+\.\d+$/i.test(plain))
}

const isIp6 = (text: string) => text.includes(':') && !text.includes('%') && isIPv6(plainIp(text))

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  if (more.length || !/^\d{1,3}$/.test(bits)) return false
  const plain = plainIp(address)
  return (isIPv4(plain) && Number(bits) <= 32) || (isIPv6(plain) && !plain.includes('%') && Number(bits) <= 128)
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

/** Units as Scala has them; the last of a row may go on as it likes. */
const UNITS =
  /^(ns|nano|nanos|nanosec|nanosecs|nanosecond.*|us|µs|micro|micros|microsec|microsecs|microsecond.*|ms|milli|millis|millisec|millisecs|millisecond.*|s|sec|secs|second.*|m|min|mins|minute.*|h|hr|hrs|hour.*|d|day.*|w|wk|week.*)$/i

const isDuration = (text: string) =>
  /^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(text) ||
  /^[+-]?0$/.test(text) ||
  [...text.matchAll(/\d+\s*([A-Za-zµ]+)/g)].some(([, unit]) => UNITS.test(unit!))

const isIsbn10 = (text: string) => {
  const digits = text.replace(/[- ]/g, '')
  if (!/^\d{9}[\dX]$/.test(digits)) return false
  return [...digits].reduce((sum, digit, at) => sum + (digit === 'X' ? 10 : Number(digit)) * (10 - at), 0) % 11 === 0
}

const isIsbn13 = (text: string) => {
  const digits = text.replace(/[- ]/g, '')
  if (!/^\d{13}$/.test(digits)) return false
  return [...digits].reduce((sum, digit, at) => sum + Number(digit) * (at % 2 ? 3 : 1), 0) % 10 === 0
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '')
  if (
    !/^(4\d{12}(\d{3})?|5[1-5]\d{14}|6(011|5\d\d)\d{12}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11}|(2131|1800|35\d{3})\d{11})$/.test(
      digits,
    )
  )
    return false
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const doubled = Number(digit) * (at % 2 ? 2 : 1)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return sum % 10 === 0
}

/** Six or eight bytes, with one sign between all of them, or none. */
const MAC =
  /^([0-9a-f]{2}([:-])[0-9a-f]{2}(\2[0-9a-f]{2}){4}(\2[0-9a-f]{2}){0,2}|([0-9a-f]{4}\.){2,3}[0-9a-f]{4}|[0-9a-f]{12}([0-9a-f]{4})?)$/i

/** As Go's url.ParseRequestURI reads it: whole, or a path from the root. */
function isUri(text: string): boolean {
  if (!/^([a-zA-Z][a-zA-Z0-9+.-]*:|\/)/.test(text) || /\p{Cc}/u.test(text)) return false
  const [, scheme, host = '', rest = ''] = /^([^/?#:]+:)?(?:\/\/([^/?#]*))?(.*)$/s.exec(text)!
  const [path = ''] = rest.split('?')
  if (/%(?![0-9a-fA-F]{2})/.test(host + path)) return false
  if (scheme === undefined && text.startsWith('//')) return true
  return !/[ "<>\\^`{|}]/.test(host) && /^(?:[^@]*@)?(?:\[[^\]]*\]|[^:]*)(?::\d*)?$/.test(host)
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\uffff-]+"
const DOTTED = `${ATOM}(?:\\.${ATOM})*`
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"'
const ADDRESS = `(?:${DOTTED}|${QUOTED})@(?:${DOTTED}|\\[[^\\]]*\\])`

/** An address, perhaps with the name of whom it is. Source: RFC 5322 as Go's net/mail reads it */
const EMAIL = new RegExp(`^\\s*(?:${ADDRESS}|(?:(?:${ATOM}|${QUOTED})[\\s.]*)*<${ADDRESS}>)\\s*$`)

const LETTER = '[a-zA-Z0-9\\p{S}\\p{L}]'
/** Source: k8s.io/kube-openapi/pkg/validation/strfmt HostnamePattern */
const HOSTNAME = new RegExp(
  `^(?:${LETTER}(?:-?[a-zA-Z0-9\\p{S}\\p{L}]{0,62})?|(?:${LETTER}(?:[a-zA-Z0-9\\-\\p{S}\\p{L}]{0,61}${LETTER})?\\.)+[a-zA-Z\\p{L}]{2,63})$`,
  'u',
)

const isHostname = (text: string) =>
  HOSTNAME.test(text) && text.length <= 255 && text.split('.').every(label => label.length <= 63)

const isDnsLabel = (text: string) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)
const isSubdomain = (text: string) =>
  text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text)

/**
 * Whether a string has the form that a schema's `format` names. Other formats say nothing.
 * Source: k8s.io/kube-openapi/pkg/validation/strfmt, k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go
 */
export const formats: Record<string, (text: string) => boolean> = {
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
  byte: text => text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  cidr: isCidr,
  creditcard: isCreditCard,
  date: isDate,
  'date-time': text => !Number.isNaN(parseTime(text.toUpperCase())),
  datetime: text => !Number.isNaN(parseTime(text.toUpperCase())),
  duration: isDuration,
  email: matches(EMAIL),
  hexcolor: matches(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  hostname: isHostname,
  ipv4: isIp4,
  ipv6: isIp6,
  isbn: text => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  'k8s-long-name': isSubdomain,
  'k8s-short-name': isDnsLabel,
  mac: matches(MAC),
  password: () => true,
  rgbcolor: matches(
    /^rgb\(\s*(0|1\d{0,2}|2[0-4]\d|25[0-5]|[2-9]\d?)(\s*,\s*(0|1\d{0,2}|2[0-4]\d|25[0-5]|[2-9]\d?)){2}\s*\)$/i,
  ),
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  uri: isUri,
  uuid: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid3: uuid('3'),
  uuid4: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  uuid5: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
}

const NUMBERS: Record<string, string[]> = { integer: ['int32', 'int64'], number: ['float', 'double'] }

/** Whether a format means something for values of a type. */
export function hasFormat(type: string | undefined, format: string): boolean {
  if (!type || type === 'string') return STRINGS.has(format.replaceAll('-', ''))
  return NUMBERS[type]?.includes(format) ?? false
}

/** Dashes make no difference. */
const STRINGS = new Set(Object.keys(formats).map(name => name.replaceAll('-', '')))
