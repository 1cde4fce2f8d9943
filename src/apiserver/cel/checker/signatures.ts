import { DYN, isDyn, type Type, typeName, typeOf } from './types.ts'

/** Operators as complaints name them. */
export const SHOWN: Record<string, string> = {
  '==': '_==_',
  '!=': '_!=_',
  '<': '_<_',
  '<=': '_<=_',
  '>': '_>_',
  '>=': '_>=_',
  '&&': '_&&_',
  '||': '_||_',
  '?:': '_?_:_',
  in: '@in',
  '+': '_+_',
  '-': '_-_',
  '*': '_*_',
  '/': '_/_',
  '%': '_%_',
}

/** What functions take and give. One that is not here may take and give anything. */
const DECLARED = `
  size(string) int, size(bytes) int, size(list) int, size(map) int
  string.size() int, bytes.size() int, list.size() int, map.size() int
  string.startsWith(string) bool, string.endsWith(string) bool, string.contains(string) bool, string.matches(string) bool
  matches(string, string) bool
  string.charAt(int) string, string.indexOf(string) int, string.indexOf(string, int) int, string.lastIndexOf(string) int
  string.lastIndexOf(string, int) int, list.indexOf(dyn) int, list.lastIndexOf(dyn) int
  string.lowerAscii() string, string.upperAscii() string, string.trim() string
  string.replace(string, string) string, string.replace(string, string, int) string
  string.split(string) list(string), string.split(string, int) list(string)
  string.substring(int) string, string.substring(int, int) string
  list.join() string, list.join(string) string, string.format(list) string
  string.find(string) string, string.findAll(string) list(string), string.findAll(string, int) list(string)
  list.isSorted() bool, list.sum() dyn, list.min() dyn, list.max() dyn
  int(dyn) int, uint(dyn) uint, double(dyn) double, string(dyn) string, bytes(dyn) bytes, bool(dyn) bool
  timestamp(dyn) timestamp, duration(dyn) duration, dyn(dyn) dyn, type(dyn) type
  isURL(string) bool, url(string) url, isIP(string) bool, ip(string) ip, isCIDR(string) bool, cidr(string) cidr
  quantity(string) quantity, isQuantity(string) bool, isSemver(string) bool, isSemver(string, bool) bool
`

interface Signature {
  receiver?: string
  args: string[]
  result: Type
}

const signatures = new Map<string, Signature[]>()
for (const [, receiver, name, args, result] of DECLARED.matchAll(/(?:(\w+)\.)?(\w+)\(([^)]*)\) (\w+(?:\(\w+\))?)/g)) {
  const signature = { receiver, args: args ? args.split(', ') : [], result: typeOf(result!) }
  signatures.set(name!, [...(signatures.get(name!) ?? []), signature])
}

/** Undefined when nothing of this name takes such values. */
export function resultOf(name: string, receiver: Type | undefined, args: Type[]): Type | undefined {
  const known = signatures.get(name)
  if (!known || (receiver && isOpaque(receiver))) return DYN
  const fitting = known.find(
    each =>
      (each.receiver === undefined) === (receiver === undefined) &&
      (receiver === undefined || fits(receiver, each.receiver!)) &&
      each.args.length === args.length &&
      each.args.every((wanted, index) => fits(args[index]!, wanted)),
  )
  return fitting?.result
}

const PLAIN = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'null'])

/** What only functions look into: their methods are not listed here. */
const isOpaque = (type: Type) => type.is === 'optional' || (type.is === 'scalar' && !PLAIN.has(type.name))

function fits(type: Type, wanted: string): boolean {
  if (wanted === 'dyn' || isDyn(type)) return true
  if (wanted === 'list') return type.is === 'list'
  if (wanted === 'map') return type.is === 'map' || type.is === 'object'
  return typeName(type) === wanted
}
