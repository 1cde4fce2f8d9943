import { isDyn, type Type, typeName } from './types.ts'

/** What the parameters of types stand for, as far as it has been found out. */
export class Unifier {
  #known = new Map<string, Type>()
  #count = 0

  /** A parameter that nothing is known of yet. */
  fresh = (): Type => ({ is: 'param', name: `_var${this.#count++}` })

  /** Whether values of the one types can be where the others are wanted; what this says of parameters is kept if so. */
  assign(given: Type[], wanted: Type[]): boolean {
    const before = new Map(this.#known)
    if (given.length === wanted.length && given.every((type, index) => this.#fits(type, wanted[index]!))) return true
    this.#known = before
    return false
  }

  /** With its parameters replaced by what they stand for, and the others by `rest`. */
  resolve(type: Type, rest?: Type): Type {
    switch (type.is) {
      case 'param': {
        const known = this.#known.get(type.name)
        return known ? this.resolve(known, rest) : (rest ?? type)
      }
      case 'list':
      case 'optional':
      case 'type':
        return { is: type.is, of: this.resolve(type.of, rest) }
      case 'map':
        return { is: 'map', key: this.resolve(type.key, rest), of: this.resolve(type.of, rest) }
      default:
        return type
    }
  }

  #fits(given: Type, wanted: Type): boolean {
    if (wanted.is === 'param') {
      const had = this.#known.has(wanted.name)
      if (this.#stands(wanted, given)) return true
      if (had) return false
    }
    if (given.is === 'param') return this.#stands(given, wanted)
    if (isDyn(given) || isDyn(wanted)) return true
    if (isNull(given)) return isNullable(wanted)
    if (isNull(wanted)) return isNullable(given)
    switch (given.is) {
      case 'type':
        return wanted.is === 'type'
      case 'list':
      case 'optional':
        return wanted.is === given.is && this.#fits(given.of, wanted.of)
      case 'map':
        return wanted.is === 'map' && this.#fits(given.key, wanted.key) && this.#fits(given.of, wanted.of)
      default:
        return wanted.is === given.is && typeName(wanted) === typeName(given)
    }
  }

  /** Lets a parameter stand for a type, or for the more general of it and what it stood for. */
  #stands(param: Type & { is: 'param' }, type: Type): boolean {
    if (type.is === 'param' && type.name === param.name) return true
    const known = this.#known.get(param.name)
    if (known) {
      if (typeName(known) === typeName(type)) return true
      if (!this.#fits(type, known)) return false
      const general = mostGeneral(type, known)
      if (!this.#isWithin(param, general)) this.#known.set(param.name, general)
      return true
    }
    if (this.#isWithin(param, type)) return false
    this.#known.set(param.name, type)
    return true
  }

  /** A type that is a part of itself would have no end. */
  #isWithin(param: Type & { is: 'param' }, type: Type): boolean {
    switch (type.is) {
      case 'param': {
        if (type.name === param.name) return true
        const known = this.#known.get(type.name)
        return known !== undefined && this.#isWithin(param, known)
      }
      case 'list':
      case 'optional':
      case 'type':
        return this.#isWithin(param, type.of)
      case 'map':
        return this.#isWithin(param, type.key) || this.#isWithin(param, type.of)
      default:
        return false
    }
  }
}

/** A signature of its own for each call: its parameters have nothing to do with those of another. */
export function instance(types: Type[], fresh: () => Type): Type[] {
  const names = new Map<string, Type>()
  const own = (type: Type): Type => {
    switch (type.is) {
      case 'param': {
        const known = names.get(type.name) ?? fresh()
        names.set(type.name, known)
        return known
      }
      case 'list':
      case 'optional':
      case 'type':
        return { is: type.is, of: own(type.of) }
      case 'map':
        return { is: 'map', key: own(type.key), of: own(type.of) }
      default:
        return type
    }
  }
  return types.map(own)
}

export const mostGeneral = (one: Type, other: Type): Type => (isLessSpecific(one, other) ? one : other)

function isLessSpecific(one: Type, other: Type): boolean {
  if (isDyn(one) || one.is === 'param') return true
  if (isDyn(other) || other.is === 'param') return false
  if (one.is === 'type' && other.is === 'type') return true
  if ((one.is === 'list' || one.is === 'optional') && other.is === one.is) return isLessSpecific(one.of, other.of)
  if (one.is === 'map' && other.is === 'map')
    return isLessSpecific(one.key, other.key) && isLessSpecific(one.of, other.of)
  return typeName(one) === typeName(other)
}

const isNull = (type: Type) => type.is === 'scalar' && type.name === 'null'

const NEVER_NULL = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes'])

/** What Go keeps by a pointer. */
const isNullable = (type: Type): boolean =>
  type.is === 'object' || type.is === 'optional' || (type.is === 'scalar' && !NEVER_NULL.has(type.name))

export const isSame = (one: Type, other: Type): boolean => typeName(one) === typeName(other)
