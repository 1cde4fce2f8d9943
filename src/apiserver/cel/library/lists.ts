import { CelError } from '../errors.ts'
import type { Fn, Functions } from '../functions.ts'
import { compare, Dict, equal, List, Optional, type Value } from '../values.ts'
import { standardFunctions } from './standard.ts'

/** Source: k8s.io/apiserver/pkg/cel/library/lists.go, github.com/google/cel-go/ext lists.go and sets.go */

const noOverload = () => new CelError('no such overload')

function items(value: Value | undefined): Value[] {
  if (value instanceof List) return [...value]
  throw noOverload()
}

const holds = (list: Value[], item: Value) => list.some(each => equal(each, item))

const extreme =
  (name: string, sign: number): Fn =>
  ([value]) => {
    const [first, ...rest] = items(value)
    if (first === undefined) throw new CelError(`${name} called on empty list`)
    return rest.reduce((best, each) => (compare(each, best) * sign > 0 ? each : best), first)
  }

function flattened(list: Value[], depth: number): Value[] {
  return list.flatMap(each => (each instanceof List && depth > 0 ? flattened([...each], depth - 1) : [each]))
}

function slice(list: Value[], from: number, to: number): Value[] {
  const wrong = (why: string) => new CelError(`cannot slice(${from}, ${to}), ${why}`)
  if (from < 0 || to < 0) throw wrong('negative indexes not supported')
  if (from > to) throw wrong('start index must be less than or equal to end index')
  if (to > list.length) throw wrong(`list is length ${list.length}`)
  return list.slice(from, to)
}

export const listFunctions: Functions = {
  '.isSorted': ([value]) =>
    items(value).every((each, index, all) => index === 0 || compare(all[index - 1]!, each) <= 0),
  '.sum'([value], budget) {
    const [first = 0n, ...rest] = items(value)
    return rest.reduce((sum, each) => standardFunctions['_+_']!([sum, each], budget), first)
  },
  '.min': extreme('min', -1),
  '.max': extreme('max', 1),
  '.distinct': ([value]) =>
    new List(items(value).filter((each, index, all) => all.findIndex(other => equal(other, each)) === index)),
  '.flatten': ([value, depth]) => new List(flattened(items(value), depth === undefined ? 1 : Number(depth))),
  '.sort': ([value]) => new List(items(value).toSorted(compare)),
  '.slice': ([value, from, to]) => new List(slice(items(value), Number(from), Number(to))),
  '.first': ([value]) => new Optional(items(value)[0]),
  '.last': ([value]) => new Optional(items(value).at(-1)),
  'lists.range': ([count]) => new List(Array.from({ length: Math.max(Number(count), 0) }, (_, index) => BigInt(index))),
  'sets.contains': ([list, part]) => items(part).every(each => holds(items(list), each)),
  'sets.equivalent'([a, b]) {
    const [one, two] = [items(a), items(b)]
    return one.every(each => holds(two, each)) && two.every(each => holds(one, each))
  },
  'sets.intersects': ([a, b]) => items(a).some(each => holds(items(b), each)),
  'maps.merge'([a, b]) {
    if (!(a instanceof Dict) || !(b instanceof Dict)) throw noOverload()
    return Dict.of([...entries(a), ...entries(b)])
  },
}

const entries = (dict: Dict): [Value, Value][] => dict.keys().map(key => [key, dict.get(key)!])
