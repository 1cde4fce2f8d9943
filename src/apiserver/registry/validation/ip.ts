import { isIP } from 'node:net'
import { type FieldError, ip, type meta } from '../../../api/index.ts'
import { invalid } from './field.ts'

/** Source: k8s.io/apimachinery/pkg/util/validation ip.go, k8s.io/kubernetes/pkg/api/util/validation */

const NOT_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const NOT_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/** Go once read `010.0.0.1` as 10.0.0.1, and so objects may still say that. */
const withoutZeros = (text: string) =>
  /^[\d./]+$/.test(text) ? text.replace(/(^|[./])0+(?=\d)/g, '$1') : text.replace(/\/0+(?=\d)/, '/')

const isMapped = (address: string) => address.includes(':') && ip.canonical(address).startsWith('::ffff:')

/** An address; one that the object had already may be spelled in the ways of old. */
export function validateIp(value: string, field: string, before: readonly string[] = []): FieldError[] {
  if (before.includes(value)) return []
  const plain = withoutZeros(value)
  if (!isIP(plain) || value.includes('%')) return [invalid(field, value, NOT_IP)]
  if (plain !== value) return [invalid(field, value, 'must not have leading 0s')]
  return isMapped(value) ? [invalid(field, value, 'must not be an IPv4-mapped IPv6 address')] : []
}

/** An address in the one spelling that it has. */
export function validateCanonicalIp(value: string, field: string): FieldError[] {
  const problems = validateIp(value, field)
  if (problems.length) return problems
  const canonical = ip.canonical(value)
  return value === canonical ? [] : [invalid(field, value, `must be in canonical form (${JSON.stringify(canonical)})`)]
}

/** `10.9.8.0/24`, `2001:db8::/64`; one that the object had already may be spelled in the ways of old. */
export function validateCidr(value: string, field: string, before: readonly string[] = []): FieldError[] {
  if (before.includes(value)) return []
  const plain = withoutZeros(value)
  if (!ip.isCidr(plain)) return [invalid(field, value, NOT_CIDR)]
  if (plain !== value) return [invalid(field, value, 'must not have leading 0s in IP or prefix length')]
  const [address] = value.split('/') as [string]
  if (isMapped(address)) return [invalid(field, value, 'must not have an IPv4-mapped IPv6 address')]
  return ip.parse(address) === ip.parseCidr(value).first
    ? []
    : [invalid(field, value, 'must not have bits set beyond the prefix length')]
}

/** A range in the one spelling that it has. */
export function validateCanonicalCidr(value: string, field: string): FieldError[] {
  const problems = validateCidr(value, field)
  if (problems.length) return problems
  const canonical = ip.formatCidr(ip.parseCidr(value))
  return value === canonical ? [] : [invalid(field, value, `must be in canonical form (${JSON.stringify(canonical)})`)]
}

/** What a client is warned of that writes an address in another than the usual way. */
export function ipWarnings(value: string, field: string): string[] {
  const plain = withoutZeros(value)
  if (!isIP(plain)) return []
  const usual = isMapped(plain) ? ip.format(ip.parse(plain) & 0xffff_ffffn, 4) : ip.canonical(plain)
  if (plain !== value || isMapped(plain))
    return [`${field}: non-standard IP address ${JSON.stringify(value)} is invalid: use ${JSON.stringify(usual)}`]
  return usual === value
    ? []
    : [
        `${field}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(usual)})`,
      ]
}

/** As `ipWarnings`, for a range; one that has more bits than its length says is warned of too. */
export function cidrWarnings(value: string, field: string): string[] {
  const plain = withoutZeros(value)
  if (!ip.isCidr(plain)) return []
  const quoted = JSON.stringify(value)
  const range = ip.parseCidr(plain)
  const [address] = plain.split('/') as [string]
  const usual = JSON.stringify(ip.formatCidr(range))
  const warnings: string[] = []
  if (ip.parse(address) !== range.first) {
    const single = JSON.stringify(`${ip.canonical(address)}/${range.family === 4 ? 32 : 128}`)
    warnings.push(`${field}: CIDR value ${quoted} is ambiguous in this context (should be ${usual} or ${single}?)`)
  }
  if (plain !== value || isMapped(address))
    warnings.push(`${field}: non-standard CIDR value ${quoted} is invalid: use ${usual}`)
  if (warnings.length === 0 && JSON.stringify(`${ip.canonical(address)}/${range.length}`) !== quoted)
    warnings.push(`${field}: IPv6 CIDR value ${quoted} should be in RFC 5952 canonical format (${usual})`)
  return warnings
}

/** Ranges in which nothing can be reached from elsewhere, in the words of upstream's complaints. */
const UNREACHABLE: [ranges: string[], detail: string][] = [
  [['127.0.0.0/8', '::1/128'], 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [['169.254.0.0/16', 'fe80::/10'], 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [['224.0.0.0/24', 'ff02::/16'], 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

/** The cluster's own addresses may lie where only this machine reaches them: in a cluster for tests, nobody is elsewhere. */
export const isOwnAddress = ({ namespace, name }: meta.ObjectMeta): boolean =>
  (namespace === 'default' && name === 'kubernetes') || (namespace === 'kube-system' && name === 'kube-dns')

/** Where traffic can be sent to. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateEndpointIP */
export function validateReachable(address: string, field: string): FieldError[] {
  const plain = withoutZeros(address)
  if (!isIP(plain)) return [invalid(field, address, 'must be a valid IP address')]
  const bits = ip.parse(plain)
  if (bits === 0n) return [invalid(field, address, `may not be unspecified (${address})`)]
  return UNREACHABLE.filter(([ranges]) =>
    ranges.some(range => {
      const cidr = ip.parseCidr(range)
      return cidr.family === isIP(plain) && bits >= cidr.first && bits < cidr.first + ip.size(cidr)
    }),
  ).map(([, detail]) => invalid(field, address, detail))
}
