import { errors, type FieldError, type KubeObject, type Resource } from '../../api/index.ts'
import { seededRandom } from '../../base/index.ts'
import { codecFor } from '../../encoding/index.ts'
import { createStrategies } from './index.ts'
import type { StrategyContext } from './strategy.ts'

/** Runs strategies in the order in which a write does, without a store. */

export const NOW = '2026-01-02T03:04:05Z'

const context: StrategyContext = {
  user: { name: 'alice', groups: ['system:authenticated'] },
  dryRun: false,
  subresource: '',
  now: NOW,
  read: async () => undefined,
}

export const newStrategies = () =>
  createStrategies({
    serviceClusterIpRange: '10.96.0.0/24',
    serviceNodePortRange: '30000-30009',
    random: seededRandom(1),
  })

type Loose = Record<string, unknown>

export function testBed() {
  const strategies = newStrategies()

  /** As it is after decoding, defaulting and preparing; `draft` leaves out kind and version. */
  async function prepare<T extends KubeObject>(resource: Resource<T>, draft: Loose): Promise<T> {
    const strategy = strategies.strategyFor(resource as Resource)
    const codec = codecFor(resource)
    const { group, version, kind } = resource
    const named = { apiVersion: group ? `${group}/${version}` : version, kind, ...draft }
    const metadata = {
      name: 'web',
      ...(resource.namespaced ? { namespace: 'default' } : {}),
      uid: 'uid-1',
      ...(draft.metadata as Loose),
    }
    const { object } = codec.decode({ ...named, metadata })
    codec.default(object)
    strategy.defaults?.(object)
    await strategy.prepareCreate?.(object, context)
    return object
  }

  /** What a create of it would complain about, as `field: text`. */
  async function problems<T extends KubeObject>(resource: Resource<T>, draft: Loose): Promise<string[]> {
    const object = await prepare(resource, draft)
    return texts(strategies.strategyFor(resource as Resource).validate?.(object) ?? [])
  }

  /** What an update would complain about; `change` works on a copy of the old object. */
  async function updateProblems<T extends KubeObject>(
    resource: Resource<T>,
    draft: Loose,
    change: (object: T) => void,
  ): Promise<string[]> {
    const strategy = strategies.strategyFor(resource as Resource)
    const old = await prepare(resource, draft)
    const object = structuredClone(old)
    change(object)
    strategy.defaults?.(object)
    strategy.prepareUpdate?.(object, old, context)
    return texts([...(strategy.validate?.(object, old) ?? []), ...(strategy.validateUpdate?.(object, old) ?? [])])
  }

  /** The object as it would be stored, with what was allocated. */
  async function create<T extends KubeObject>(resource: Resource<T>, draft: Loose): Promise<T> {
    const object = await prepare(resource, draft)
    const strategy = strategies.strategyFor(resource as Resource)
    const allocation = await strategy.allocate?.(object, undefined, context)
    allocation?.commit()
    return object
  }

  return { strategies, context, prepare, problems, updateProblems, create }
}

/** Each problem by itself as the API would report it, without the sentence around it. */
export const texts = (problems: FieldError[]): string[] =>
  problems.map(problem => {
    const { message } = errors.invalid({ group: '', kind: 'K' }, 'n', [problem])
    return message.slice('K "n" is invalid: '.length)
  })
