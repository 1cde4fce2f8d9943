import { errors, type KubeObject, type Resource, StatusError } from '../../../api/index.ts'
import type { Clock } from '../../../base/index.ts'
import { codecFor, isObject } from '../../../encoding/index.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { Registry } from '../../registry/registry.ts'
import type { WebhookClient } from '../../webhook/client.ts'
import { type Attributes, annotate } from '../admission.ts'
import { conditionsHold, Evaluation } from '../expressions.ts'
import { namespaceSelected, objectSelected } from '../match/selectors.ts'
import { inVersion } from '../match/versions.ts'
import type { AdmissionMetrics } from '../metrics.ts'
import { admissionRequest } from '../request.ts'
import type { Match } from './hooks.ts'
import type { WebhookOptions } from './index.ts'
import { CallFailed, noDryRun, review, type Verdict } from './review.ts'

/** Asks the webhooks of one kind. */
export class Caller {
  readonly #registry: Registry
  readonly #client: WebhookClient
  readonly #authorizer: Authorizer
  readonly #clock: Clock
  readonly #metrics: AdmissionMetrics
  readonly #type: 'admit' | 'validating'

  /** `type`: as metrics call the kind. */
  constructor({ registry, client, authorizer, metrics }: WebhookOptions, type: 'admit' | 'validating') {
    this.#registry = registry
    this.#client = client
    this.#authorizer = authorizer
    this.#clock = registry.clock
    this.#metrics = metrics
    this.#type = type
  }

  /** Whether the webhook wants to hear of the request, whose rules it fits. */
  async isFor(match: Match, attributes: Attributes): Promise<boolean> {
    const { namespaceSelector, objectSelector, conditions } = match.hook
    if (!objectSelected(objectSelector, attributes)) return false
    if (!(await namespaceSelected(namespaceSelector, attributes, this.#registry.reader))) return false
    return !conditions.length || this.#conditionsHold(match, attributes)
  }

  async #conditionsHold({ hook, as }: Match, attributes: Attributes): Promise<boolean> {
    const evaluation = await Evaluation.begin(this.#registry, this.#authorizer, as, attributes)
    const held = await conditionsHold(hook.conditions, evaluation)
    if (typeof held === 'boolean') return held
    if (hook.webhook.failurePolicy === 'Ignore') return false
    throw errors.forbidden(attributes.requested, attributes.name, held)
  }

  /** Undefined when the webhook failed and its policy is to go on, which the audit event tells under `failedOpen`. */
  async call(match: Match, attributes: Attributes, failedOpen: string): Promise<Verdict | undefined> {
    const { webhook } = match.hook
    const { name, failurePolicy } = webhook
    const started = this.#clock.monotonic()
    const observe = (rejected: boolean, code: number) => {
      const seconds = (this.#clock.monotonic() - started) / 1000
      this.#metrics.webhookCalled({ name, type: this.#type, operation: attributes.operation, rejected, code }, seconds)
    }
    try {
      const verdict = await this.#ask(match, attributes)
      observe(false, 200)
      return verdict
    } catch (error) {
      const about = { name, type: this.#type, operation: attributes.operation }
      const failed = error instanceof CallFailed
      const code = failed ? error.code : error instanceof StatusError ? error.code : 0
      const open = failed && failurePolicy === 'Ignore'
      observe(!open, code)
      if (!failed) {
        this.#metrics.webhookRejected(about, 'no_error', code)
        throw error
      }
      this.#registry.log.warn({ webhook: name, failurePolicy, reason: error.message }, 'webhook failed')
      if (!open) {
        this.#metrics.webhookRejected(about, 'calling_webhook_error', code)
        throw errors.internal(error.message)
      }
      this.#metrics.webhookFailedOpen({ name, type: this.#type })
      annotate(attributes, failedOpen, name)
      return undefined
    }
  }

  async #ask(match: Match, attributes: Attributes): Promise<Verdict> {
    const { webhook } = match.hook
    const { name, sideEffects } = webhook
    if (attributes.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') throw noDryRun(name)
    return review(this.#client, webhook, await this.#request(match, attributes), this.#type === 'admit', {
      warn: text => attributes.warnings.push(text),
      annotate: (key, value) => annotate(attributes, key, value),
    })
  }

  async #request({ as }: Match, attributes: Attributes) {
    const object = await this.#shown(as, attributes, attributes.object)
    const old = await this.#shown(as, attributes, attributes.old)
    return admissionRequest(attributes, as, { uid: this.#registry.random.uuid(), object, old })
  }

  /** As it would be sent to a client: with all fields that Go writes though they are empty. */
  async #shown(as: Resource, attributes: Attributes, object: KubeObject | undefined): Promise<KubeObject | undefined> {
    const converted = await inVersion(this.#registry, as, attributes, object)
    if (!converted) return undefined
    const { kind } = attributes
    const codec = kind ? codecFor<KubeObject>(kind.type) : this.#registry.served(as).codec
    return completed(converted, JSON.parse(Buffer.from(codec.encode(converted)).toString())) as KubeObject
  }
}

/** What only the whole has is added; what is there stays as it is. */
function completed(value: unknown, whole: unknown): unknown {
  if (Array.isArray(value))
    return Array.isArray(whole) ? value.map((each, index) => completed(each, whole[index])) : value
  if (!isObject(value) || !isObject(whole)) return value
  const missing = Object.entries(whole).filter(([name]) => !Object.hasOwn(value, name))
  const present = Object.entries(value).map(([name, each]) => [name, completed(each, whole[name])] as const)
  return Object.fromEntries([...present, ...missing])
}
