import { ip, names, parseQuantity, type Quantity } from '../../../api/index.ts'
import { CelError } from '../errors.ts'
import type { Fn, Functions } from '../functions.ts'
import { Dict, List, Opaque, Optional, type Value } from '../values.ts'
import { authorizerFunctions } from './authorizer.ts'

/** Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library and those that follow it */

const noOverload = () => new CelError('no such overload')

function text(value: Value | undefined): string {
  if (typeof value === 'string') return value
  throw noOverload()
}

/** `parse` throws for what is none. */
function attempt<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof CelError ? error : new CelError((error as Error).message)
  }
}

function works(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}

class QuantityValue extends Opaque {
  readonly type = 'kubernetes.Quantity'
  readonly amount: Quantity
  constructor(amount: Quantity) {
    super()
    this.amount = amount
  }
  equals = (other: Opaque) => other instanceof QuantityValue && other.amount.nano === this.amount.nano
}

const NANO = 10n ** 9n

function amountOf(value: Value | undefined): Quantity {
  if (value instanceof QuantityValue) return value.amount
  throw noOverload()
}

/** Of an int or a quantity. */
const nanoOf = (value: Value | undefined): bigint => (typeof value === 'bigint' ? value * NANO : amountOf(value).nano)

const changed = ({ format }: Quantity, nano: bigint) => new QuantityValue({ nano, format })

const sign = (value: bigint): bigint => (value < 0n ? -1n : value > 0n ? 1n : 0n)

const quantityFunctions: Functions = {
  quantity: ([value]) => attempt(() => new QuantityValue(parseQuantity(text(value)))),
  isQuantity: ([value]) => works(() => parseQuantity(text(value))),
  sign: ([value]) => sign(amountOf(value).nano),
  '.isInteger': ([value]) => amountOf(value).nano % NANO === 0n,
  '.asInteger'([value]) {
    const { nano } = amountOf(value)
    if (nano % NANO !== 0n) throw new CelError('cannot convert value to integer')
    return nano / NANO
  },
  '.asApproximateFloat': ([value]) => Number(amountOf(value).nano) / 1e9,
  '.add': ([value, other]) => changed(amountOf(value), amountOf(value).nano + nanoOf(other)),
  '.sub': ([value, other]) => changed(amountOf(value), amountOf(value).nano - nanoOf(other)),
}

/** https://semver.org */
class Semver extends Opaque {
  readonly type = 'kubernetes.Semver'
  readonly numbers: bigint[]
  readonly before: string[]
  constructor(numbers: bigint[], before: string[]) {
    super()
    this.numbers = numbers
    this.before = before
  }
  equals = (other: Opaque) => other instanceof Semver && compareSemver(this, other) === 0n
}

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-.]+)?$/

function parseSemver(version: string, normalize: boolean): Semver {
  const wanted = normalize ? normalized(version) : version
  const match = SEMVER.exec(wanted)
  if (!match) throw new CelError(semverFault(wanted))
  return new Semver([match[1]!, match[2]!, match[3]!].map(BigInt), match[4]?.split('.') ?? [])
}

/** Source: github.com/blang/semver */
function semverFault(version: string): string {
  if (!version) return 'Version string empty'
  const [core = ''] = version.split(/[-+]/)
  const parts = version.split('.').slice(0, 2).concat(core.split('.').slice(2).join('.'))
  if (core.split('.').length < 3) return 'No Major.Minor.Patch elements found'
  for (const [index, name] of ['major', 'minor', 'patch'].entries()) {
    const part = parts[index]!
    if (!/^\d+$/.test(part)) return `Invalid character(s) found in ${name} number ${JSON.stringify(part)}`
    if (/^0\d/.test(part))
      return `${name.charAt(0).toUpperCase()}${name.slice(1)} number must not contain leading zeroes ${JSON.stringify(part)}`
  }
  return `invalid semver ${JSON.stringify(version)}`
}

function normalized(version: string): string {
  const [core = '', ...rest] = version.replace(/^v/, '').split(/(?=[-+])/)
  const numbers = core.split('.').map(part => part.replace(/^0+(?=\d)/, ''))
  while (numbers.length < 3) numbers.push('0')
  return numbers.join('.') + rest.join('')
}

function compareSemver(a: Semver, b: Semver): bigint {
  for (let index = 0; index < 3; index++)
    if (a.numbers[index] !== b.numbers[index]) return sign(a.numbers[index]! - b.numbers[index]!)
  if (!a.before.length || !b.before.length) return BigInt(b.before.length ? 1 : 0) - BigInt(a.before.length ? 1 : 0)
  for (const [index, part] of a.before.entries()) {
    const other = b.before[index]
    if (other === undefined) return 1n
    if (part === other) continue
    const [one, two] = [part, other].map(each => (/^\d+$/.test(each) ? BigInt(each) : undefined))
    if (one !== undefined && two !== undefined) return sign(one - two)
    if (one !== undefined || two !== undefined) return one !== undefined ? -1n : 1n
    return part < other ? -1n : 1n
  }
  return a.before.length < b.before.length ? -1n : 0n
}

function semverOf(value: Value | undefined): Semver {
  if (value instanceof Semver) return value
  throw noOverload()
}

const semverFunctions: Functions = {
  semver: ([value, normalize]) => parseSemver(text(value), normalize === true),
  isSemver: ([value, normalize]) => works(() => parseSemver(text(value), normalize === true)),
  '.major': ([value]) => semverOf(value).numbers[0]!,
  '.minor': ([value]) => semverOf(value).numbers[1]!,
  '.patch': ([value]) => semverOf(value).numbers[2]!,
}

/** What quantities and versions are both compared by. */
function compared(a: Value | undefined, b: Value | undefined): bigint {
  if (a instanceof Semver) return compareSemver(a, semverOf(b))
  return sign(amountOf(a).nano - amountOf(b).nano)
}

const comparisons: Functions = {
  '.compareTo': ([a, b]) => compared(a, b),
  '.isGreaterThan': ([a, b]) => compared(a, b) > 0n,
  '.isLessThan': ([a, b]) => compared(a, b) < 0n,
}

/** Source: Go's net/netip ParseAddr */
function addressFault(address: string): string {
  if (address.includes(':') || !address.includes('.')) return 'unable to parse IP'
  const parts = address.split('.')
  if (parts.some(part => part === '')) return 'IPv4 field must have at least one digit'
  const strange = /[^\d.].*/.exec(address)?.[0]
  if (strange) return `unexpected character (at ${JSON.stringify(strange)})`
  if (parts.some(part => /^0\d/.test(part))) return 'IPv4 field has octet with leading zero'
  if (parts.some(part => Number(part) > 255)) return 'IPv4 field has value >255'
  return `IPv4 address too ${parts.length < 4 ? 'short' : 'long'}`
}

class Address extends Opaque {
  readonly type = 'net.IP'
  readonly text: string
  readonly bits: bigint
  readonly family: ip.Family
  constructor(address: string) {
    super()
    const quoted = JSON.stringify(address)
    if (names.isIP(address.replace(/%.*/, '')) && address.includes('%'))
      throw new CelError(`IP address ${quoted} with zone value is not allowed`)
    if (!names.isIP(address))
      throw new CelError(
        `IP Address ${quoted} parse error during conversion from string: ParseAddr(${quoted}): ${addressFault(address)}`,
      )
    if (address.includes(':') && address.includes('.'))
      throw new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(address)} is not allowed`)
    this.text = ip.canonical(address)
    this.bits = ip.parse(address)
    this.family = address.includes(':') ? 6 : 4
  }
  equals = (other: Opaque) => other instanceof Address && other.text === this.text
}

class Range extends Opaque {
  readonly type = 'net.CIDR'
  readonly text: string
  readonly written: string
  readonly range: ip.Cidr
  constructor(cidr: string) {
    super()
    const wrong = 'network address parse error during conversion from string'
    if (/^::ffff:[\d.]+\//i.test(cidr))
      throw new CelError(`${wrong}: IPv4-mapped IPv6 address ${JSON.stringify(cidr)} is not allowed`)
    if (!ip.isCidr(cidr)) {
      const detail = cidr.includes('/') ? 'unable to parse IP' : "no '/'"
      throw new CelError(`${wrong}: ${wrong}: netip.ParsePrefix(${JSON.stringify(cidr)}): ${detail}`)
    }
    this.text = cidr
    this.written = cidr.split('/')[0]!
    this.range = ip.parseCidr(cidr)
  }
  equals = (other: Opaque) => other instanceof Range && other.text === this.text
}

function addressOf(value: Value | undefined): Address {
  if (value instanceof Address) return value
  return new Address(text(value))
}

function rangeOf(value: Value | undefined): Range {
  if (value instanceof Range) return value
  return new Range(text(value))
}

const inRange = (value: Value | undefined, cidrs: string[]): boolean => {
  const address = addressOf(value)
  return cidrs.some(cidr => {
    const range = ip.parseCidr(cidr)
    return range.family === address.family && ip.indexOf(range, address.text) !== undefined
  })
}

const networkFunctions: Functions = {
  ip: ([value]) => (value instanceof Range ? new Address(value.written) : new Address(text(value))),
  isIP: ([value]) => works(() => new Address(text(value))),
  'ip.isCanonical': ([value]) => new Address(text(value)).text === value,
  cidr: ([value]) => new Range(text(value)),
  isCIDR: ([value]) => works(() => new Range(text(value))),
  '.family': ([value]) => BigInt(addressOf(value).family),
  '.isLoopback': ([value]) => inRange(value, ['127.0.0.0/8', '::1/128']),
  '.isUnspecified': ([value]) => addressOf(value).bits === 0n,
  '.isLinkLocalUnicast': ([value]) => inRange(value, ['169.254.0.0/16', 'fe80::/10']),
  '.isLinkLocalMulticast': ([value]) => inRange(value, ['224.0.0.0/24', 'ff02::/16']),
  '.isGlobalUnicast': ([value]) =>
    addressOf(value).bits !== 0n &&
    !inRange(value, [
      '127.0.0.0/8',
      '::1/128',
      '224.0.0.0/4',
      'ff00::/8',
      '169.254.0.0/16',
      'fe80::/10',
      '255.255.255.255/32',
    ]),
  '.containsIP'([value, other]) {
    const { range } = rangeOf(value)
    const address = works(() => addressOf(other)) ? addressOf(other) : undefined
    if (!address) throw noOverload()
    return range.family === address.family && ip.indexOf(range, address.text) !== undefined
  },
  '.containsCIDR'([value, other]) {
    const [range, inner] = [rangeOf(value).range, rangeOf(other).range]
    return (
      range.family === inner.family &&
      range.length <= inner.length &&
      ip.indexOf(range, ip.format(inner.first, inner.family)) !== undefined
    )
  },
  '.ip': ([value]) => new Address(rangeOf(value).written),
  '.masked': ([value]) => new Range(ip.formatCidr(rangeOf(value).range)),
  '.prefixLength': ([value]) => BigInt(rangeOf(value).range.length),
}

class Link extends Opaque {
  readonly type = 'kubernetes.URL'
  readonly text: string
  readonly url: URL
  constructor(link: string) {
    super()
    // As Go's ParseRequestURI: whole, or a path from the root.
    if (!/^([a-zA-Z][a-zA-Z0-9+.-]*:|\/)/.test(link))
      throw new CelError(
        `URL parse error during conversion from string: parse ${JSON.stringify(link)}: invalid URI for request`,
      )
    this.text = link
    this.url = attempt(() => new URL(link, 'path:///'))
  }
  equals = (other: Opaque) => other instanceof Link && other.text === this.text
}

function linkOf(value: Value | undefined): Link {
  if (value instanceof Link) return value
  throw noOverload()
}

const urlFunctions: Functions = {
  url: ([value]) => new Link(text(value)),
  isURL: ([value]) => works(() => new Link(text(value))),
  '.getScheme': ([value]) =>
    linkOf(value)
      .url.protocol.replace(/:$/, '')
      .replace(/^path$/, ''),
  // The standard port is left out by URL, and was perhaps written.
  '.getHost': ([value]) => /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/.exec(linkOf(value).text)?.[1] ?? '',
  '.getHostname': ([value]) => linkOf(value).url.hostname.replace(/^\[|\]$/g, ''),
  '.getPort': ([value]) =>
    /:(\d+)(?:[/?#]|$)/.exec(linkOf(value).text.replace(/^[a-zA-Z][a-zA-Z0-9+.-]*:/, ''))?.[1] ?? '',
  '.getEscapedPath': ([value]) => {
    const { text: link, url } = linkOf(value)
    return url.pathname === '/' && !/^[^:]*:\/\/[^/]*\/|^\//.test(link) ? '' : url.pathname
  },
  '.getQuery'([value]) {
    const { searchParams } = linkOf(value).url
    return Dict.of([...new Set(searchParams.keys())].map(name => [name, new List(searchParams.getAll(name))]))
  },
}

class Format extends Opaque {
  readonly type = 'kubernetes.NamedFormat'
  readonly name: string
  readonly problems: (value: string) => string[]
  constructor(name: string, problems: (value: string) => string[]) {
    super()
    this.name = name
    this.problems = problems
  }
  equals = (other: Opaque) => other instanceof Format && other.name === this.name
}

const UUID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/

/** A name that is the beginning of one may end with a dash. */
const asPrefix = (problems: (value: string) => string[]) => (value: string) => problems(value.replace(/-$/, 'a'))

const FORMATS: Record<string, (value: string) => string[]> = {
  dns1123Label: names.dns1123LabelProblems,
  dns1123Subdomain: names.dns1123SubdomainProblems,
  dns1035Label: names.dns1035LabelProblems,
  dns1123LabelPrefix: asPrefix(names.dns1123LabelProblems),
  dns1123SubdomainPrefix: asPrefix(names.dns1123SubdomainProblems),
  dns1035LabelPrefix: asPrefix(names.dns1035LabelProblems),
  qualifiedName: names.qualifiedNameProblems,
  labelValue: names.labelValueProblems,
  uri: value => (works(() => new Link(value)) ? [] : [`parse ${JSON.stringify(value)}: invalid URI for request`]),
  uuid: value => (UUID.test(value) ? [] : ['does not match the UUID format']),
  byte: value => (/^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0 ? [] : ['invalid base64']),
  date: value => (/^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) ? [] : ['invalid date']),
  datetime: value =>
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value) ? [] : ['invalid datetime'],
}

const formatFunctions: Functions = {
  ...Object.fromEntries(
    Object.entries(FORMATS).map(([name, problems]): [string, Fn] => [
      `format.${name}`,
      () => new Format(name, problems),
    ]),
  ),
  'format.named'([value]) {
    const name = text(value)
    const problems = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
    return problems ? new Optional(new Format(name, problems)) : new Optional()
  },
  '.validate'([format, value]) {
    if (!(format instanceof Format)) throw noOverload()
    const problems = format.problems(text(value))
    return problems.length ? new Optional(new List(problems)) : new Optional()
  },
}

export const kubernetesFunctions: Functions = {
  ...quantityFunctions,
  ...semverFunctions,
  ...comparisons,
  ...networkFunctions,
  ...urlFunctions,
  ...formatFunctions,
  ...authorizerFunctions,
}
