import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allResources, apiVersion, model, type Resource, StatusError, type ValueModel } from '../../api/index.ts'
import { type Random, seededRandom } from '../../base/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { columnsFor } from '../tables/index.ts'
import { NOW, newStrategies, testBed } from './testing.ts'

const SEEDS = 60
const stored = allResources.filter(({ verbs }) => verbs.includes('list'))

/** Whatever decodes gets an answer: a client must not be able to break the server by leaving a field out. */
describe('no object is too strange', () => {
  for (const resource of stored) {
    test(`${apiVersion(resource)} ${resource.resource}`, async () => {
      await run(resource, {})
      for (let seed = 0; seed < SEEDS; seed++) await run(resource, randomObject(resource.type, seededRandom(seed)))
    })
  }
})

async function run(resource: Resource, draft: Record<string, unknown>): Promise<void> {
  const { context } = testBed()
  const strategy = newStrategies().strategyFor(resource)
  const codec = codecFor(resource)
  const metadata = { ...(draft.metadata as object), name: 'web', uid: 'uid-1', creationTimestamp: NOW }
  const { object } = codec.decode({ ...draft, metadata, apiVersion: apiVersion(resource), kind: resource.kind })
  codec.default(object)
  strategy.defaults?.(object)
  const once = structuredClone(object)
  strategy.defaults?.(object)
  assert.deepEqual(object, once, 'defaults are idempotent')
  const old = structuredClone(object)
  await orAnswer(strategy.prepareCreate?.(object, context))
  const problems = strategy.validate?.(object) ?? []
  await orAnswer(strategy.prepareUpdate?.(structuredClone(object), old, context))
  strategy.validateUpdate?.(object, old)
  strategy.validateStatusUpdate?.(object, old)
  strategy.warnings?.(object)
  strategy.gracePeriod?.(object, undefined)
  strategy.held?.(object)
  for (const value of Object.values(strategy.fields?.(object) ?? {})) assert.equal(typeof value, 'string')
  for (const { field, detail } of problems) assert.ok(typeof field === 'string' && typeof detail === 'string')
  for (const column of columnsFor(resource)) {
    const cell = column.cell(object, Date.parse(NOW))
    assert.notEqual(cell, undefined, `${column.name} has a cell`)
  }
}

/** To be refused in the words of the API is an answer too. */
async function orAnswer(work: void | Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
  }
}

const TEXTS = ['', 'a', 'web', 'constructor', '../x', '1']

/** A value such as a client might send: any field may be there or not, and few make sense together. */
function randomObject(type: string, random: Random, depth = 8): Record<string, unknown> {
  const fields = model.type(type).fields.filter(() => random.next() < depth / 10)
  return Object.fromEntries(fields.map(field => [field.name, randomValue(field, random, depth - 1)]))
}

function randomValue(value: ValueModel, random: Random, depth: number): unknown {
  const pick = <T>(from: T[]): T => from[Math.floor(random.next() * from.length)]!
  const item = () => randomValue(value.items!, random, depth - 1)
  const values: Record<ValueModel['kind'], () => unknown> = {
    struct: () => randomObject(value.type!, random, depth),
    list: () => Array.from({ length: pick([0, 1, 2]) }, item),
    map: () => Object.fromEntries(pick([[], ['a'], ['cpu', 'constructor']]).map(key => [key, item()])),
    union: () => randomValue(pick(value.choices!), random, depth),
    string: () => pick(value.enum ?? TEXTS),
    bool: () => pick([true, false]),
    int32: () => pick([-1, 0, 1, 80]),
    int64: () => pick([-1, 0, 1, 80]),
    float64: () => pick([0, 0.5]),
    bytes: () => Buffer.from(pick(TEXTS)).toString('base64'),
    time: () => NOW,
    microTime: () => NOW,
    duration: () => '1m',
    quantity: () => pick(['-1', '0', '500m', '1Gi']),
    intOrString: () => pick([-1, 0, 80, 'http', '25%']),
    raw: () => pick<unknown>([{}, 'text', 7]),
  }
  return values[value.kind]()
}
