import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { core } from '../../../api/index.ts'
import { VirtualClock } from '../../../base/index.ts'
import { podSecurityOptions } from './config.ts'
import { findings, told } from './evaluate.ts'
import { warningsOf } from './existing.ts'
import { LAX, policyOf, type Standard, text } from './policy.ts'

const PREFIX = 'pod-security.kubernetes.io/'

function standard(written: string): Standard {
  const [level, version] = written.split(':')
  return { level, version } as Standard
}

/** What a kube-apiserver 1.36.3 said of pods, by the standards at which it said so. */
interface Answer {
  name: string
  spec: core.PodSpec
  says: { at: string[]; says: string }[]
}

describe('a pod is judged as upstream judges it', () => {
  const lines = readFileSync(join(import.meta.dirname, 'testdata/answers.jsonl'), 'utf8')
    .trim()
    .split('\n')
  for (const { name, spec, says } of lines.map(line => JSON.parse(line) as Answer))
    test(name, () => {
      for (const { at, says: expected } of says)
        for (const each of at) {
          const found = findings(standard(each), { spec })
          assert.equal(
            found.length ? told(standard(each), found) : '',
            expected && `PodSecurity "${each}": ${expected}`,
          )
        }
    })

  test('by annotations, before there were fields', () => {
    const annotations = {
      'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
      'container.seccomp.security.alpha.kubernetes.io/a': 'x"y',
      'container.apparmor.security.beta.kubernetes.io/a': 'unconfined',
    }
    const pod = { metadata: { annotations }, spec: { containers: [{ name: 'a', resources: {} }] } }
    assert.deepEqual(findings(standard('baseline:v1.18'), pod), [
      {
        reason: 'forbidden AppArmor profile',
        detail: `annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/a="unconfined""`,
      },
      {
        reason: 'seccompProfile',
        detail: `forbidden annotations container.seccomp.security.alpha.kubernetes.io/a="x\\"y", seccomp.security.alpha.kubernetes.io/pod="unconfined"`,
      },
    ])
  })
})

describe('the labels of a namespace', () => {
  const cases: [Record<string, string>, string, string[]?][] = [
    [{}, 'privileged:latest privileged:latest privileged:latest'],
    [{ enforce: 'baseline' }, 'baseline:latest privileged:latest baseline:latest'],
    [{ enforce: 'restricted', 'enforce-version': 'v1.30' }, 'restricted:v1.30 privileged:latest restricted:v1.30'],
    [{ enforce: 'restricted', 'warn-version': 'v1.1' }, 'restricted:latest privileged:latest restricted:v1.1'],
    [{ enforce: 'baseline', warn: 'privileged' }, 'baseline:latest privileged:latest privileged:latest'],
    [{ audit: 'restricted', warn: 'baseline' }, 'privileged:latest restricted:latest baseline:latest'],
    [{ enforce: 'x' }, 'restricted:latest privileged:latest privileged:latest', ['enforce']],
    [{ audit: 'x', warn: '' }, 'privileged:latest privileged:latest privileged:latest', ['audit', 'warn']],
    [{ 'warn-version': 'v1.01' }, 'privileged:latest privileged:latest privileged:latest', ['warn-version']],
  ]
  for (const [labels, expected, problematic = []] of cases)
    test(JSON.stringify(labels), () => {
      const named = Object.fromEntries(Object.entries(labels).map(([key, value]) => [PREFIX + key, value]))
      const { policy, problems } = policyOf(named, LAX)
      assert.equal([policy.enforce, policy.audit, policy.warn].map(text).join(' '), expected)
      assert.deepEqual(
        problems.map(({ field }) => field),
        problematic.map(label => `metadata.labels[${PREFIX}${label}]`),
      )
    })
})

test('who has pods keep to a standard is told of those that do not, the same ones together', () => {
  const pod = (name: string, spec: Partial<core.PodSpec>, owner?: string) =>
    ({
      metadata: { name, ...(owner ? { ownerReferences: [{ uid: owner, controller: true }] } : {}) },
      spec: { containers: [], ...spec },
    }) as unknown as core.Pod
  const warnings = (pods: core.Pod[]) => warningsOf('n', pods, standard('baseline:latest'), new VirtualClock(0))
  assert.deepEqual(warnings([pod('fine', {})]), [])
  const bad = [
    pod('z', { hostPID: true }),
    pod('b', { hostNetwork: true, volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
    pod('y', { hostPID: true }),
    pod('x', { hostIPC: true }),
  ]
  assert.deepEqual(warnings(bad), [
    'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:latest"',
    'b: host namespaces, hostPath volumes',
    'x (and 2 other pods): host namespaces',
  ])
  const many = Array.from({ length: 3001 }, (_, index) => pod(`p${index}`, { hostPID: index === 3000 }, 'set'))
  assert.deepEqual(warnings(many), [
    'new PodSecurity enforce level only checked against the first 3000 of 3001 existing pods',
  ])
})

test('a configuration is checked', () => {
  const kind = { apiVersion: 'pod-security.admission.config.k8s.io/v1', kind: 'PodSecurityConfiguration' }
  assert.deepEqual(podSecurityOptions({ ...kind, defaults: { warn: 'baseline' }, exemptions: { namespaces: ['a'] } }), {
    defaults: { ...LAX, warn: { level: 'baseline', version: 'latest' } },
    exemptions: { namespaces: ['a'], usernames: [], runtimeClasses: [] },
  })
  const wrong = {
    defaults: { enforce: 'x', 'audit-version': '1' },
    exemptions: { namespaces: ['a', 'a'], usernames: [''] },
  }
  assert.throws(() => podSecurityOptions({ ...kind, ...wrong }), {
    message:
      'PodSecurity invalid: [defaults.enforce: Invalid value: "x": must be one of privileged, baseline, restricted, ' +
      'defaults.audit-version: Invalid value: "1": must be "latest" or "v1.x", exemptions.namespaces[1]: Duplicate value: "a", ' +
      'exemptions.usernames[0]: Invalid value: "": username must not be empty]',
  })
  assert.throws(() => podSecurityOptions({ ...kind, kind: 'Other' }), /no kind "Other" is registered/)
})
