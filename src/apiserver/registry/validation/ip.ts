import { type FieldError, ip } from '../../../api/index.ts'
import { invalid } from './field.ts'

/** `10.9.8.0/24`, `2001:db8::/64`. */
export const validateCidr = (cidr: string, field: string): FieldError[] =>
  ip.isCidr(cidr) ? [] : [invalid(field, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
