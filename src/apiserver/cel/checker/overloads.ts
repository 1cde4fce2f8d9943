import { splitTypes, type Type, typeOf } from './types.ts'

/** One way to call a function. A method's receiver is the first of its parameters. */
export interface Overload {
  name: string
  method: boolean
  params: Type[]
  result: Type
}

/** Types that have an order. */
const ORDERED = 'int uint double bool duration timestamp string bytes'.split(' ')

/**
 * All that expressions can call, as cel-go and Kubernetes declare it: `$` stands for each type that has an order, `#` for
 * those that can be added up, a capital letter for one and the same type, which may be any. A method has its receiver
 * before a dot.
 * Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions,
 * https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
 */
const DECLARED = `
  !_(bool): bool; -_(double): double; -_(int): int; @not_strictly_false(bool): bool
  _&&_(bool, bool): bool; _||_(bool, bool): bool; _?_:_(bool, A, A): A
  _==_(A, A): bool; _!=_(A, A): bool; @in(A, list(A)): bool; @in(A, map(A, B)): bool
  _<_($, $): bool; _<=_($, $): bool; _>_($, $): bool; _>=_($, $): bool
  _+_(bytes, bytes): bytes; _+_(double, double): double; _+_(duration, duration): duration
  _+_(duration, timestamp): timestamp; _+_(timestamp, duration): timestamp; _+_(int, int): int
  _+_(list(A), list(A)): list(A); _+_(string, string): string; _+_(uint, uint): uint
  _-_(double, double): double; _-_(duration, duration): duration; _-_(int, int): int
  _-_(timestamp, duration): timestamp; _-_(timestamp, timestamp): duration; _-_(uint, uint): uint
  _*_(double, double): double; _*_(int, int): int; _*_(uint, uint): uint
  _/_(double, double): double; _/_(int, int): int; _/_(uint, uint): uint; _%_(int, int): int; _%_(uint, uint): uint
  _[_](list(A), int): A; _[_](map(A, B), A): B
  _[_](optional_type(list(V)), int): optional_type(V); _[_](optional_type(map(K, V)), K): optional_type(V)
  _[?_](list(V), int): optional_type(V); _[?_](optional_type(list(V)), int): optional_type(V)
  _[?_](map(K, V), K): optional_type(V); _[?_](optional_type(map(K, V)), K): optional_type(V)
  _?._(dyn, string): optional_type(V)

  size(bytes): int; size(list(A)): int; size(map(A, B)): int; size(string): int
  bytes.size(): int; list(A).size(): int; map(A, B).size(): int; string.size(): int
  bool(bool): bool; bool(string): bool; bytes(bytes): bytes; bytes(string): bytes
  double(double): double; double(int): double; double(string): double; double(uint): double
  int(int): int; int(double): int; int(duration): int; int(string): int; int(timestamp): int; int(uint): int
  uint(uint): uint; uint(double): uint; uint(int): uint; uint(string): uint
  string(string): string; string(bool): string; string(bytes): string; string(double): string; string(duration): string
  string(int): string; string(timestamp): string; string(uint): string; string(net.IP): string; string(net.CIDR): string
  duration(duration): duration; duration(int): duration; duration(string): duration
  timestamp(timestamp): timestamp; timestamp(int): timestamp; timestamp(string): timestamp
  dyn(A): dyn; type(A): type(A)
  timestamp.getDate(): int; timestamp.getDate(string): int
  timestamp.getDayOfMonth(): int; timestamp.getDayOfMonth(string): int
  timestamp.getDayOfWeek(): int; timestamp.getDayOfWeek(string): int
  timestamp.getDayOfYear(): int; timestamp.getDayOfYear(string): int
  timestamp.getFullYear(): int; timestamp.getFullYear(string): int; timestamp.getMonth(): int; timestamp.getMonth(string): int
  timestamp.getHours(): int; timestamp.getHours(string): int; duration.getHours(): int
  timestamp.getMinutes(): int; timestamp.getMinutes(string): int; duration.getMinutes(): int
  timestamp.getSeconds(): int; timestamp.getSeconds(string): int; duration.getSeconds(): int
  timestamp.getMilliseconds(): int; timestamp.getMilliseconds(string): int; duration.getMilliseconds(): int

  string.contains(string): bool; string.startsWith(string): bool; string.endsWith(string): bool
  matches(string, string): bool; string.matches(string): bool
  string.find(string): string; string.findAll(string): list(string); string.findAll(string, int): list(string)
  string.charAt(int): string; string.format(list(dyn)): string; list(string).join(): string; list(string).join(string): string
  string.lowerAscii(): string; string.upperAscii(): string; string.trim(): string; strings.quote(string): string
  string.replace(string, string): string; string.replace(string, string, int): string
  string.split(string): list(string); string.split(string, int): list(string)
  string.substring(int): string; string.substring(int, int): string
  list(A).indexOf(A): int; string.indexOf(string): int; string.indexOf(string, int): int
  list(A).lastIndexOf(A): int; string.lastIndexOf(string): int; string.lastIndexOf(string, int): int

  list($).isSorted(): bool; list($).max(): $; list($).min(): $; list($).sort(): list($); list(#).sum(): #
  list(T).@sortByAssociatedKeys(list($)): list(T)
  list(T).distinct(): list(T); list(T).reverse(): list(T); list(T).slice(int, int): list(T)
  list(list(T)).flatten(): list(T); list(dyn).flatten(int): list(dyn); lists.range(int): list(int)
  list(V).first(): optional_type(V); list(V).last(): optional_type(V)
  sets.contains(list(T), list(T)): bool; sets.equivalent(list(T), list(T)): bool; sets.intersects(list(T), list(T)): bool
  cel.@mapInsert(map(K, V), K, V): map(K, V); cel.@mapInsert(map(K, V), map(K, V)): map(K, V)

  optional.none(): optional_type(V); optional.of(V): optional_type(V); optional.ofNonZeroValue(V): optional_type(V)
  optional.unwrap(list(optional_type(V))): list(V); list(optional_type(V)).unwrapOpt(): list(V)
  optional_type(V).hasValue(): bool; optional_type(V).value(): V; optional_type(V).orValue(V): V
  optional_type(V).or(optional_type(V)): optional_type(V)

  url(string): kubernetes.URL; isURL(string): bool; kubernetes.URL.getScheme(): string; kubernetes.URL.getHost(): string
  kubernetes.URL.getHostname(): string; kubernetes.URL.getPort(): string; kubernetes.URL.getEscapedPath(): string
  kubernetes.URL.getQuery(): map(string, list(string))
  ip(string): net.IP; isIP(string): bool; ip.isCanonical(string): bool; net.IP.family(): int
  net.IP.isUnspecified(): bool; net.IP.isLoopback(): bool; net.IP.isLinkLocalMulticast(): bool
  net.IP.isLinkLocalUnicast(): bool; net.IP.isGlobalUnicast(): bool
  cidr(string): net.CIDR; isCIDR(string): bool; net.CIDR.ip(): net.IP; net.CIDR.masked(): net.CIDR
  net.CIDR.prefixLength(): int; net.CIDR.containsIP(string): bool; net.CIDR.containsIP(net.IP): bool
  net.CIDR.containsCIDR(string): bool; net.CIDR.containsCIDR(net.CIDR): bool
  quantity(string): kubernetes.Quantity; isQuantity(string): bool; sign(kubernetes.Quantity): int
  kubernetes.Quantity.isInteger(): bool; kubernetes.Quantity.asInteger(): int; kubernetes.Quantity.asApproximateFloat(): double
  kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity; kubernetes.Quantity.add(int): kubernetes.Quantity
  kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity; kubernetes.Quantity.sub(int): kubernetes.Quantity
  kubernetes.Quantity.compareTo(kubernetes.Quantity): int; kubernetes.Semver.compareTo(kubernetes.Semver): int
  kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool; kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool
  kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool; kubernetes.Semver.isLessThan(kubernetes.Semver): bool
  semver(string): kubernetes.Semver; semver(string, bool): kubernetes.Semver; isSemver(string): bool
  isSemver(string, bool): bool; kubernetes.Semver.major(): int; kubernetes.Semver.minor(): int; kubernetes.Semver.patch(): int
  format.byte(): kubernetes.NamedFormat; format.date(): kubernetes.NamedFormat; format.datetime(): kubernetes.NamedFormat
  format.dns1035Label(): kubernetes.NamedFormat; format.dns1035LabelPrefix(): kubernetes.NamedFormat
  format.dns1123Label(): kubernetes.NamedFormat; format.dns1123LabelPrefix(): kubernetes.NamedFormat
  format.dns1123Subdomain(): kubernetes.NamedFormat; format.dns1123SubdomainPrefix(): kubernetes.NamedFormat
  format.labelValue(): kubernetes.NamedFormat; format.qualifiedName(): kubernetes.NamedFormat
  format.uri(): kubernetes.NamedFormat; format.uuid(): kubernetes.NamedFormat
  format.named(string): optional_type(kubernetes.NamedFormat)
  jsonpatch.escapeKey(string): string
  kubernetes.NamedFormat.validate(string): optional_type(list(string))

  kubernetes.authorization.Authorizer.path(string): kubernetes.authorization.PathCheck
  kubernetes.authorization.Authorizer.group(string): kubernetes.authorization.GroupCheck
  kubernetes.authorization.Authorizer.serviceAccount(string, string): kubernetes.authorization.Authorizer
  kubernetes.authorization.GroupCheck.resource(string): kubernetes.authorization.ResourceCheck
  kubernetes.authorization.ResourceCheck.subresource(string): kubernetes.authorization.ResourceCheck
  kubernetes.authorization.ResourceCheck.namespace(string): kubernetes.authorization.ResourceCheck
  kubernetes.authorization.ResourceCheck.name(string): kubernetes.authorization.ResourceCheck
  kubernetes.authorization.ResourceCheck.fieldSelector(string): kubernetes.authorization.ResourceCheck
  kubernetes.authorization.ResourceCheck.labelSelector(string): kubernetes.authorization.ResourceCheck
  kubernetes.authorization.PathCheck.check(string): kubernetes.authorization.Decision
  kubernetes.authorization.ResourceCheck.check(string): kubernetes.authorization.Decision
  kubernetes.authorization.Decision.allowed(): bool; kubernetes.authorization.Decision.reason(): string
  kubernetes.authorization.Decision.errored(): bool; kubernetes.authorization.Decision.error(): string
`

/** Numbers of different types can be told which is greater. */
const NUMBERS = ['int', 'uint', 'double']

const table = new Map<string, Overload[]>()

function declare(overload: Overload): void {
  table.set(overload.name, [...(table.get(overload.name) ?? []), overload])
}

const templates = (text: string): string[] =>
  text.includes('$')
    ? ORDERED.map(type => text.replaceAll('$', type))
    : text.includes('#')
      ? ['int', 'uint', 'double', 'duration'].map(type => text.replaceAll('#', type))
      : [text]

/** Functions whose names have a dot and yet no receiver. */
const NAMESPACED = /^(?:strings|lists|sets|cel|optional|ip|format|jsonpatch)\.[@\w]+$/

/** `list(A).indexOf(A): int` */
function parse(text: string): Overload {
  const colon = text.lastIndexOf(': ')
  const open = openingOf(text, colon - 1)
  const path = text.slice(0, open)
  const dot = path.startsWith('_') || NAMESPACED.test(path) ? -1 : path.lastIndexOf('.')
  const receiver = dot < 0 ? [] : [path.slice(0, dot)]
  return {
    name: path.slice(dot + 1),
    method: dot >= 0,
    params: [...receiver, ...splitTypes(text.slice(open + 1, colon - 1))].map(typeOf),
    result: typeOf(text.slice(colon + 2)),
  }
}

/** Where the parenthesis is opened that is closed at `end`. */
function openingOf(text: string, end: number): number {
  let depth = 0
  let at = end
  for (; at >= 0; at--) {
    if (text[at] === ')') depth++
    else if (text[at] === '(' && --depth === 0) break
  }
  return at
}

for (const text of DECLARED.split(/;\s*|\n/).flatMap(each => (each.trim() ? templates(each.trim()) : [])))
  declare(parse(text))
for (const name of ['_<_', '_<=_', '_>_', '_>=_'])
  for (const left of NUMBERS)
    for (const right of NUMBERS)
      if (left !== right)
        declare({ name, method: false, params: [typeOf(left), typeOf(right)], result: typeOf('bool') })

export const isDeclared = (name: string): boolean => table.has(name)

export const overloadsOf = (name: string, method: boolean): Overload[] =>
  (table.get(name) ?? []).filter(overload => overload.method === method)

export const allOverloads = (): Overload[] => [...table.values()].flat()
