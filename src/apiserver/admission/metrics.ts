import { version } from '../version.ts'
import type { Attributes } from './admission.ts'
import type { Standard } from './pod-security/policy.ts'

/**
 * What admission by others costs and says, as kube-apiserver names and labels it.
 * Source: k8s.io/apiserver/pkg/admission/metrics, .../admission/plugin/policy/validating/metrics and mutating/metrics
 */

type Labels = Record<string, string | number | boolean>

/** One name with its series, by their labels. */
class Family {
  readonly #name: string
  readonly #help: string
  /** Upper bounds in seconds; none for a counter. */
  readonly #bounds: number[]
  readonly #series = new Map<string, { counts: number[]; sum: number }>()

  constructor(name: string, help: string, bounds: number[] = []) {
    this.#name = name
    this.#help = help
    this.#bounds = bounds
  }

  count(labels: Labels): void {
    this.observe(labels, 0)
  }

  observe(labels: Labels, seconds: number): void {
    const key = Object.keys(labels)
      .sort()
      .map(name => `${name}=${JSON.stringify(String(labels[name]))}`)
      .join()
    let series = this.#series.get(key)
    if (!series) {
      series = { counts: new Array(this.#bounds.length + 1).fill(0), sum: 0 }
      this.#series.set(key, series)
    }
    const bucket = this.#bounds.findIndex(bound => seconds <= bound)
    series.counts[bucket === -1 ? this.#bounds.length : bucket]!++
    series.sum += seconds
  }

  /** Nothing as long as nothing has happened, as upstream. */
  text(): string {
    if (!this.#series.size) return ''
    const lines = [
      `# HELP ${this.#name} ${this.#help}`,
      `# TYPE ${this.#name} ${this.#bounds.length ? 'histogram' : 'counter'}`,
    ]
    for (const [labels, { counts, sum }] of this.#series) {
      if (!this.#bounds.length) {
        lines.push(`${this.#name}{${labels}} ${counts[0]}`)
        continue
      }
      let total = 0
      for (const [index, bound] of [...this.#bounds, '+Inf'].entries()) {
        total += counts[index]!
        lines.push(`${this.#name}_bucket{${labels},le="${bound}"} ${total}`)
      }
      lines.push(`${this.#name}_sum{${labels}} ${sum}`, `${this.#name}_count{${labels}} ${total}`)
    }
    return `${lines.join('\n')}\n`
  }
}

/** A webhook, as metrics call it; `type` is `admit` for those that change objects, and `validating`. */
export interface CalledWebhook {
  name: string
  type: string
  operation: string
}

/** One check of a policy for one binding. */
export interface PolicyCheck {
  policy: string
  policy_binding: string
  error_type: 'no_error' | 'compile_error' | 'invalid_error' | 'out_of_budget'
  /** Of a validating policy alone. */
  enforcement_action?: 'allow' | 'deny' | 'audit' | 'warn'
}

/** A pod, or what makes some, as it is held against a Pod Security Standard. */
type JudgedPod = Pick<Attributes, 'operation' | 'resource' | 'subresource'>

const podSecurityLabels = ({ operation, resource, subresource }: JudgedPod): Labels => ({
  request_operation: operation.toLowerCase(),
  resource: resource.resource === 'pods' ? 'pod' : 'controller',
  subresource,
})

/** Pod Security Standards of later releases are counted as `future`. */
const MINOR = Number(version.minor)
/** Codes above are counted as this one. */
const HIGHEST_CODE = 600
const WEBHOOK_BOUNDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25]
const POLICY_BOUNDS = [0.0000005, 0.001, 0.01, 0.1, 1]

const byName = 'identified by name and broken out for each admission type (validating or admit)'

export class AdmissionMetrics {
  readonly #durations = new Family(
    'apiserver_admission_webhook_admission_duration_seconds',
    '[STABLE] Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    WEBHOOK_BOUNDS,
  )
  readonly #requests = new Family(
    'apiserver_admission_webhook_request_total',
    `[ALPHA] Admission webhook request total, ${byName} and operation. Additional labels specify whether the request was rejected or not and an HTTP status code. Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.`,
  )
  readonly #rejections = new Family(
    'apiserver_admission_webhook_rejection_count',
    `[ALPHA] Admission webhook rejection count, ${byName} and operation. Additional labels specify an error type (calling_webhook_error or apiserver_internal_error if an error occurred; no_error otherwise) and optionally a non-zero rejection code if the webhook rejects the request with an HTTP status code (honored by the apiserver when the code is greater or equal to 400). Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.`,
  )
  readonly #failOpen = new Family(
    'apiserver_admission_webhook_fail_open_count',
    `[ALPHA] Admission webhook fail open count, ${byName}.`,
  )
  readonly #podSecurity = {
    evaluations: new Family(
      'pod_security_evaluations_total',
      '[ALPHA] Number of policy evaluations that occurred, not counting ignored or exempt requests.',
    ),
    exemptions: new Family(
      'pod_security_exemptions_total',
      '[ALPHA] Number of exempt requests, not counting ignored or out of scope requests.',
    ),
    errors: new Family(
      'pod_security_errors_total',
      '[ALPHA] Number of errors preventing normal evaluation. Non-fatal errors may result in the latest restricted profile being used for evaluation.',
    ),
  }
  readonly #checks = {
    validating: policyFamilies('validating', 'Validation', 'enforcement action taken'),
    mutating: policyFamilies('mutating', 'Mutation', ''),
  }

  webhookCalled(
    { code, rejected, ...about }: CalledWebhook & { code: number; rejected: boolean },
    seconds: number,
  ): void {
    this.#durations.observe({ ...about, rejected }, seconds)
    this.#requests.count({ ...about, rejected, code: Math.min(code, HIGHEST_CODE) })
  }

  webhookRejected(about: CalledWebhook, error_type: string, code: number): void {
    this.#rejections.count({ ...about, error_type, rejection_code: Math.min(code, HIGHEST_CODE) })
  }

  webhookFailedOpen(about: Omit<CalledWebhook, 'operation'>): void {
    this.#failOpen.count({ ...about })
  }

  policyChecked(kind: 'validating' | 'mutating', check: PolicyCheck, seconds: number): void {
    this.#checks[kind].total.count({ ...check })
    this.#checks[kind].durations.observe({ ...check }, seconds)
  }

  podSecurityEvaluated(pod: JudgedPod, decision: string, mode: string, { level, version }: Standard): void {
    const policy_version = level === 'privileged' ? 'latest' : version
    const future = policy_version !== 'latest' && Number(policy_version.slice('v1.'.length)) > MINOR
    this.#podSecurity.evaluations.count({
      ...podSecurityLabels(pod),
      decision,
      mode,
      policy_level: level,
      policy_version: future ? 'future' : policy_version,
    })
  }

  podSecurityExempted(pod: JudgedPod): void {
    this.#podSecurity.exemptions.count(podSecurityLabels(pod))
  }

  /** The labels of a namespace say nothing sensible. */
  podSecurityFailed(pod: JudgedPod): void {
    this.#podSecurity.errors.count({ ...podSecurityLabels(pod), fatal: false })
  }

  /** The text format of Prometheus. */
  text(): string {
    const { validating, mutating } = this.#checks
    const families = [this.#durations, this.#requests, this.#rejections, this.#failOpen]
    for (const { total, durations } of [validating, mutating]) families.push(total, durations)
    families.push(...Object.values(this.#podSecurity))
    return families.map(family => family.text()).join('')
  }
}

const policyFamilies = (kind: string, noun: string, by: string) => ({
  total: new Family(
    `apiserver_${kind}_admission_policy_check_total`,
    `[BETA] ${noun} admission policy check total, labeled by policy and further identified by binding${by && ` and ${by}`}.`,
  ),
  durations: new Family(
    `apiserver_${kind}_admission_policy_check_duration_seconds`,
    `[BETA] ${noun} admission latency for individual ${noun.toLowerCase()} expressions in seconds, labeled by policy and ${by && 'further including '}binding${by && ` and ${by}`}.`,
    POLICY_BOUNDS,
  ),
})
