import { type batch, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { invalid, nonNegative, notSupported, oneOf, required } from '../../validation/field.ts'
import { podSpecWarnings } from '../core/pod-warnings.ts'
import { scheduleProblem } from './cron.ts'
import { defaultJobTemplate, validateJobSpec } from './jobs.ts'

/** A job's name is the cron job's, a dash and ten digits. */
const LONGEST_NAME = 52

/** Source: k8s.io/kubernetes/pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation ValidateCronJob */
export const cronJobStrategy: Strategy<batch.CronJob> = {
  defaults({ spec }) {
    defaultJobTemplate(spec.jobTemplate.spec)
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
  },
  validate({ metadata, spec }) {
    const problems = validateSpec(spec)
    if (metadata.name?.length > LONGEST_NAME) {
      problems.push(invalid('metadata.name', metadata.name, `must be no more than ${LONGEST_NAME} characters`))
    }
    return problems
  },
  warnings: ({ spec }) => podSpecWarnings(spec.jobTemplate.spec.template.spec, 'spec.jobTemplate.spec.template.spec'),
  nameProblems: names.dns1123SubdomainProblems,
}

function validateSpec(spec: batch.CronJobSpec): FieldError[] {
  const template = spec.jobTemplate.spec
  const problems = validateSchedule(spec.schedule, spec.timeZone)
  problems.push(...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds))
  problems.push(...validateTimeZone(spec.timeZone))
  problems.push(...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']))
  problems.push(...validateJobSpec(template, 'spec.jobTemplate.spec'))
  if (template.selector) {
    problems.push(invalid('spec.jobTemplate.spec.selector', template.selector, '`selector` will be auto-generated'))
  }
  if (template.manualSelector) {
    problems.push(notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']))
  }
  return [
    ...problems,
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  ]
}

function validateSchedule(schedule: string | undefined, timeZone: string | undefined): FieldError[] {
  if (!schedule) return [required('spec.schedule')]
  if (schedule.includes('TZ')) {
    const detail = timeZone
      ? 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
      : 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
    return [invalid('spec.schedule', schedule, detail)]
  }
  const problem = scheduleProblem(schedule)
  return problem ? [invalid('spec.schedule', schedule, problem)] : []
}

function validateTimeZone(timeZone: string | undefined): FieldError[] {
  const field = 'spec.timeZone'
  if (timeZone === undefined) return []
  if (timeZone === '') return [invalid(field, timeZone, 'timeZone must be nil or non-empty string')]
  if (timeZone.toLowerCase() === 'local')
    return [
      invalid(field, timeZone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'),
    ]
  try {
    Intl.DateTimeFormat('en', { timeZone })
    return []
  } catch {
    return [invalid(field, timeZone, `unknown time zone ${timeZone}`)]
  }
}
