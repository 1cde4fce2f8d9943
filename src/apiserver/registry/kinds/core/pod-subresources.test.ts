import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { core, Draft } from '../../../../api/index.ts'
import { validateEphemeralContainers, validateResize } from './pod-subresources.ts'

const pod = (spec: Draft<core.PodSpec>) =>
  ({ metadata: { name: 'p' }, spec: { containers: [], ...spec } }) as unknown as core.Pod

const sized = (requests?: Record<string, string>, limits?: Record<string, string>) =>
  pod({ containers: [{ name: 'c', resources: { ...(requests && { requests }), ...(limits && { limits }) } }] })

describe('ephemeral containers', () => {
  const old = pod({ ephemeralContainers: [{ name: 'one', image: 'a' }] })

  it('may be added', () => {
    const more = pod({
      ephemeralContainers: [
        { name: 'one', image: 'a' },
        { name: 'two', image: 'b' },
      ],
    })
    assert.deepEqual(validateEphemeralContainers(more, old), [])
  })

  it('may not be changed or removed', () => {
    const changed = validateEphemeralContainers(pod({ ephemeralContainers: [{ name: 'one', image: 'b' }] }), old)
    assert.equal(changed[0]!.detail, 'existing ephemeral containers "one" may not be changed\n')
    assert.equal(changed[0]!.field, 'spec.ephemeralContainers')
    assert.match(validateEphemeralContainers(pod({}), old)[0]!.detail, /"one" may not be removed/)
  })
})

describe('a resize', () => {
  it('may change cpu and memory', () => {
    assert.deepEqual(validateResize(sized({ cpu: '2', memory: '1Gi' }), sized({ cpu: '1' })), [])
  })

  it('may not change the class of service', () => {
    const [problem] = validateResize(
      sized({ cpu: '2' }, { cpu: '2', memory: '1' }),
      sized({ cpu: '1' }, { cpu: '2', memory: '1' }),
    )
    assert.equal(problem!.detail, 'Pod QOS Class may not change as a result of resizing')
    assert.equal(problem!.field, 'spec')
  })

  it('may not take a limit or a request away, or touch anything else', () => {
    const details = (now: core.Pod, then: core.Pod) =>
      validateResize(now, then).map(({ field, detail }) => `${field}: ${detail}`)
    assert.deepEqual(details(sized({ cpu: '1' }), sized({ cpu: '1', memory: '1' })), [
      'spec.containers[0].resources.requests: resource requests cannot be removed',
    ])
    assert.deepEqual(
      details(sized({ cpu: '1', 'ephemeral-storage': '2' }), sized({ cpu: '1', 'ephemeral-storage': '1' })),
      ['spec: only cpu and memory resources are mutable'],
    )
  })
})
