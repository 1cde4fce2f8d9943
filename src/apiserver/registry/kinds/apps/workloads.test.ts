import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type apps, type batch, resources } from '../../../../api/index.ts'
import { testBed } from '../../testing.ts'

const { prepare, problems, updateProblems } = testBed()

const template = (spec: object = {}) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'nginx:1' }], ...spec },
})
const workload = (spec: object = {}) => ({
  spec: { selector: { matchLabels: { app: 'web' } }, template: template(), ...spec },
})
const job = (spec: object = {}) => ({ spec: { template: template({ restartPolicy: 'Never' }), ...spec } })
const cronJob = (spec: object = {}) => ({ spec: { schedule: '*/5 * * * *', jobTemplate: job(), ...spec } })

describe('defaults of workloads', () => {
  test('Deployment', async () => {
    const { spec } = await prepare(resources.deployments, workload())
    const { template: made, selector: _, ...rest } = spec
    assert.deepEqual(rest, {
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    })
    assert.equal(made.spec.restartPolicy, 'Always')
    assert.equal(made.spec.enableServiceLinks, undefined, 'a template is left without what only pods get')
  })

  test('a Deployment that recreates has no rolling update', async () => {
    const { spec } = await prepare(resources.deployments, workload({ strategy: { type: 'Recreate' } }))
    assert.deepEqual(spec.strategy, { type: 'Recreate' })
  })

  test('DaemonSet', async () => {
    const { spec } = await prepare(resources.daemonSets, workload())
    assert.deepEqual(spec.updateStrategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } })
    assert.equal(spec.revisionHistoryLimit, 10)
  })

  test('StatefulSet', async () => {
    const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } }
    const { spec } = await prepare(
      resources.statefulSets,
      workload({ serviceName: 'web', volumeClaimTemplates: [claim] }),
    )
    assert.equal(spec.podManagementPolicy, 'OrderedReady')
    assert.deepEqual(spec.updateStrategy, { type: 'RollingUpdate', rollingUpdate: { partition: 0 } })
    assert.deepEqual(spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: 'Retain', whenScaled: 'Retain' })
    assert.equal(spec.volumeClaimTemplates![0]!.spec.volumeMode, 'Filesystem')
    assert.deepEqual(spec.volumeClaimTemplates![0]!.status, { phase: 'Pending' })
  })

  test('Job', async () => {
    const { metadata, spec } = await prepare(resources.jobs, job())
    const { template: made, ...rest } = spec
    assert.deepEqual(rest, {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'uid-1' } },
    })
    assert.deepEqual(made.metadata.labels, {
      app: 'web',
      'batch.kubernetes.io/job-name': 'web',
      'job-name': 'web',
      'batch.kubernetes.io/controller-uid': 'uid-1',
      'controller-uid': 'uid-1',
    })
    assert.deepEqual(metadata.labels, spec.template.metadata?.labels)
  })

  test('CronJob', async () => {
    const { jobTemplate, ...rest } = (await prepare(resources.cronJobs, cronJob())).spec
    assert.deepEqual(rest, {
      schedule: '*/5 * * * *',
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    })
    assert.equal(jobTemplate.spec.completions, undefined, 'a template is left without what only jobs get')
  })

  test('ReplicationController takes its selector from its template', async () => {
    const { metadata, spec } = await prepare(resources.replicationControllers, { spec: { template: template() } })
    assert.deepEqual(spec.selector, { app: 'web' })
    assert.deepEqual(metadata.labels, { app: 'web' })
  })
})

describe('validation of workloads', () => {
  const mismatch = (labels: string) =>
    `spec.template.metadata.labels: Invalid value: ${labels}: \`selector\` does not match template \`labels\``
  const deployments: [title: string, spec: object, expected: string[]][] = [
    ['a right one', {}, []],
    ['no selector', { selector: undefined }, ['spec.selector: Required value', mismatch('{"app":"web"}')]],
    [
      'empty selector',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    ['another selector', { selector: { matchLabels: { app: 'db' } } }, [mismatch('{"app":"web"}')]],
    ['negative replicas', { replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'a template that ends',
      { template: template({ restartPolicy: 'Never' }) },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'a template without an image',
      { template: template({ containers: [{ name: 'a' }] }) },
      ['spec.template.spec.containers[0].image: Required value'],
    ],
    [
      'a rollout that cannot move',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    ],
    [
      'rolling update of a recreate',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'a deadline that comes too early',
      { progressDeadlineSeconds: 5, minReadySeconds: 10 },
      ['spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds'],
    ],
  ]
  for (const [title, spec, expected] of deployments) {
    test(`Deployment: ${title}`, async () =>
      assert.deepEqual(await problems(resources.deployments, workload(spec)), expected))
  }

  const jobs: [title: string, spec: object, expected: string[]][] = [
    ['a right one', {}, []],
    [
      'pods that are always started again',
      { template: template() },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'indexed without a number',
      { completionMode: 'Indexed', parallelism: 2 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'negative backoff',
      { backoffLimit: -1 },
      ['spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0'],
    ],
  ]
  for (const [title, spec, expected] of jobs) {
    test(`Job: ${title}`, async () => assert.deepEqual(await problems(resources.jobs, job(spec)), expected))
  }

  const schedules: [schedule: string, problem: string | undefined][] = [
    ['0 0 * * sun', undefined],
    ['@daily', undefined],
    ['1-10/2,30 * ? jan-mar 1', undefined],
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['@never', 'unrecognized descriptor: @never'],
  ]
  for (const [schedule, problem] of schedules) {
    test(`CronJob: ${schedule}`, async () =>
      assert.deepEqual(
        await problems(resources.cronJobs, cronJob({ schedule })),
        problem ? [`spec.schedule: Invalid value: ${JSON.stringify(schedule)}: ${problem}`] : [],
      ))
  }

  test('CronJob: a time zone that is none', async () =>
    assert.deepEqual(await problems(resources.cronJobs, cronJob({ timeZone: 'Mars/Base' })), [
      'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
    ]))
})

describe('updates of workloads', () => {
  test('the selector of a Deployment stays', async () => {
    const change = ({ spec }: apps.Deployment) => {
      spec.selector = { matchLabels: { app: 'web', tier: 'front' } }
      spec.template.metadata.labels = { app: 'web', tier: 'front' }
    }
    assert.deepEqual(await updateProblems(resources.deployments, workload(), change), [
      'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"front"}}: field is immutable',
    ])
  })

  test('a StatefulSet may be scaled but not renamed', async () => {
    const scale = ({ spec }: apps.StatefulSet) => {
      spec.replicas = 3
    }
    assert.deepEqual(await updateProblems(resources.statefulSets, workload(), scale), [])
    const [problem] = await updateProblems(resources.statefulSets, workload(), ({ spec }) => {
      spec.serviceName = 'x'
    })
    assert.match(
      problem!,
      /^spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals',/,
    )
  })

  test('the template of a Job stays', async () => {
    const change = ({ spec }: batch.Job) => {
      spec.template.spec.containers[0]!.image = 'nginx:2'
    }
    const [problem, ...more] = await updateProblems(resources.jobs, job(), change)
    assert.deepEqual(more, [])
    assert.match(problem!, /^spec.template: Invalid value: .*: field is immutable$/)
  })
})
