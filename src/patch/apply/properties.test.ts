import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compare } from './compare.ts'
import { fieldsOf } from './extract.ts'
import { difference, intersection, isMember, pathsOf, readFieldSet, union, withNamedFields } from './field-set.ts'
import { modelSchema } from './model-schema.ts'
import { Bench, type Loose } from './testing.ts'
import { withoutManagers } from './update.ts'

/** A random object of a type whose lists and maps hold what their schemas allow; from a seed, so that it can be had again. */
function randomPod(seed: number): Loose {
  let state = seed
  const next = (below: number) => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor((state / 2147483648) * below)
  }
  const some = <T>(make: (index: number) => T): T[] => Array.from({ length: next(4) }, (_, index) => make(index))
  const pick = <T>(...from: T[]): T => from[next(from.length)]!
  const words = () => Object.fromEntries(some(() => [pick('a', 'b', 'x"y', '__proto__', '10', '9'), pick('1', '2')]))
  const container = (index: number) => ({
    name: `c${(index * 7 + 3) % 10}`,
    image: pick('x', 'y'),
    ...(next(2) ? { command: some(() => pick('a', 'b')) } : {}),
    ...(next(2) ? { env: some(at => ({ name: `E${9 - at}`, value: pick('1', '2') })) } : {}),
    ports: some(at => ({ containerPort: pick(80, 443, 8080) + at * 1000, protocol: pick('TCP', 'UDP') })),
    resources: next(2) ? { limits: { cpu: pick('1', '2') } } : {},
  })
  return {
    metadata: {
      labels: words(),
      annotations: words(),
      finalizers: [...new Set(some(() => pick('a/b', 'c/d', 'e"/f')))],
    },
    spec: {
      containers: some(container),
      ...(next(2) ? { nodeSelector: words() } : {}),
      ...(next(2) ? { securityContext: {} } : {}),
      volumes: some(at => ({ name: `v${at}`, ...(next(2) ? { emptyDir: {} } : { hostPath: { path: '/' } }) })),
    },
  }
}

const schema = modelSchema('core/v1.Pod')
const SEEDS = Array.from({ length: 200 }, (_, index) => index * 7919 + 1)

describe('any two pods', () => {
  it('differ by sets that are canonical and lead from the one to the other', () => {
    for (const seed of SEEDS) {
      const [a, b] = [randomPod(seed), randomPod(seed + 1)]
      const { changed, removed } = compare(schema, a, b)
      for (const set of [changed, removed, fieldsOf(schema, a), fieldsOf(schema, b)])
        if (set) assert.equal(JSON.stringify(readFieldSet(JSON.parse(JSON.stringify(set)))), JSON.stringify(set))
      assert.equal(intersection(changed, removed), undefined)
      assert.deepEqual(compare(schema, a, structuredClone(a)), { changed: undefined, removed: undefined })
      const back = compare(schema, b, a)
      assert.deepEqual(back.removed && difference(back.removed, changed), undefined)
    }
  })

  it('have sets that obey the laws of sets', () => {
    for (const seed of SEEDS) {
      const [a, b] = [fieldsOf(schema, randomPod(seed)), fieldsOf(schema, randomPod(seed + 1))]
      const both = union(a, b)
      assert.deepEqual(JSON.stringify(both), JSON.stringify(union(b, a)))
      assert.deepEqual(union(difference(a, b), intersection(a, b)), a)
      assert.deepEqual(difference(both, a), difference(b, a))
      assert.equal(new Set(pathsOf(both)).size, pathsOf(both).length)
      const named = withNamedFields(both, schema)
      assert.equal(difference(both, named), undefined)
      if (both && named) assert.equal(isMember(both), isMember(named))
    }
  })

  it('can be applied one after the other, each by each, and leave nothing behind', async () => {
    for (const seed of SEEDS) {
      const [a, b] = [randomPod(seed), randomPod(seed + 1)]
      const bench = new Bench('core/v1.Pod', { spec: { containers: [] } })
      await bench.apply('one', a)
      const first = structuredClone(bench.object)
      await bench.apply('one', a)
      assert.deepEqual(bench.object, first)
      await bench.apply('two', b, true)
      await bench.apply('one', b, true)
      await bench.apply('two', {}, true)
      const direct = new Bench('core/v1.Pod', { spec: { containers: [] } })
      await direct.apply('one', b)
      assert.deepEqual(bench.owners['one Apply'], direct.owners['one Apply'])
      const left = compare(schema, withoutManagers(direct.object), withoutManagers(bench.object))
      assert.deepEqual(
        pathsOf(left.changed).filter(path => !isEmptied(bench.object, path)),
        [],
        `seed ${seed}`,
      )
    }
  })
})

/** What has lost everything is null until it is decoded. */
function isEmptied(object: unknown, path: string): boolean {
  let value = object
  for (const name of path.split('.').slice(1)) value = (value as Loose | undefined)?.[name]
  return value === null || value === undefined || JSON.stringify(value) === '{}' || JSON.stringify(value) === '[]'
}
