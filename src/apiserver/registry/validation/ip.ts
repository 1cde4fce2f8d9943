import { isIP } from 'node:net'
import type { FieldError } from '../../../api/index.ts'
import { invalid } from './field.ts'

/** `10.9.8.0/24`, `2001:db8::/64`. */
export function validateCidr(cidr: string, field: string): FieldError[] {
  const [address = '', bits = '', ...more] = cidr.split('/')
  const version = isIP(address)
  const right = more.length === 0 && version !== 0 && /^\d+$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
  return right ? [] : [invalid(field, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
}
