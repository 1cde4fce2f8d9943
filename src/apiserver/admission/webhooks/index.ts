import { errors, resources } from '../../../api/index.ts'
import type { Component } from '../../../base/index.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import { live } from '../../registry/live.ts'
import type { Registry } from '../../registry/registry.ts'
import type { WebhookClient } from '../../webhook/client.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'
import { conditionsHold, Evaluation } from '../expressions.ts'
import type { Equivalents } from '../match/rules.ts'
import { namespaceSelected, objectSelected } from '../match/selectors.ts'
import { inVersion } from '../match/versions.ts'
import { Round } from '../reinvocation.ts'
import { admissionRequest } from '../request.ts'
import { Hooks, type Match } from './hooks.ts'
import { applyPatch } from './patch.ts'
import { CallFailed, Denied, noDryRun, review, type Verdict } from './review.ts'

/**
 * Asks the programs that MutatingWebhookConfigurations and ValidatingWebhookConfigurations name. Without such, a request costs
 * one comparison.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */
export interface AdmissionWebhooks extends Component {
  mutating: AdmissionPlugin
  validating: AdmissionPlugin
}

export interface WebhookOptions {
  registry: Registry
  client: WebhookClient
  /** Answers what match conditions ask it. */
  authorizer: Authorizer
  equivalents: Equivalents
}

export async function admissionWebhooks(options: WebhookOptions): Promise<AdmissionWebhooks> {
  const { registry, equivalents } = options
  const configurations = await Promise.all([
    live(registry, resources.mutatingWebhookConfigurations),
    live(registry, resources.validatingWebhookConfigurations),
  ])
  const [mutating, validating] = configurations.map(each => new Hooks(each, equivalents)) as [Hooks, Hooks]
  const caller = new Caller(options)
  return {
    mutating: mutatingPlugin(registry, caller, mutating),
    validating: validatingPlugin(caller, validating),
    async stop() {
      await Promise.all(configurations.map(each => each.stop()))
    },
  }
}

/** One after another, each on what the last has made of the object. */
function mutatingPlugin(registry: Registry, caller: Caller, hooks: Hooks): AdmissionPlugin {
  const rounds = new WeakMap<Attributes, Round>()
  return {
    name: 'MutatingAdmissionWebhook',
    mutate(attributes) {
      const matches = hooks.matching(attributes)
      if (matches.length) return callAll(matches, attributes)
    },
  }

  async function callAll(matches: Match[], attributes: Attributes): Promise<void> {
    const again = attributes.reinvocation === 'running'
    const round = rounds.get(attributes) ?? new Round()
    rounds.set(attributes, round)
    if (again) round.begin(attributes)
    for (const match of matches) {
      const { hook } = match
      if (again && !round.isDue(hook.id)) continue
      if (!(await caller.isFor(match, attributes))) continue
      const verdict = await caller.call(match, attributes, true)
      if (verdict?.patch && (await applyPatch(registry, match, attributes, verdict.patch))) round.changed(attributes)
      if (hook.webhook.reinvocationPolicy === 'IfNeeded') round.called(hook.id)
    }
    round.end(attributes)
  }
}

/** All at once; of several refusals the client hears the first. */
const validatingPlugin = (caller: Caller, hooks: Hooks): AdmissionPlugin => ({
  name: 'ValidatingAdmissionWebhook',
  validate(attributes) {
    const matches = hooks.matching(attributes)
    if (matches.length) return callAll(matches, attributes)

    async function callAll(found: Match[], about: Attributes): Promise<void> {
      const wanted: Match[] = []
      for (const match of found) if (await caller.isFor(match, about)) wanted.push(match)
      const results = await Promise.allSettled(wanted.map(match => caller.call(match, about, false)))
      const refused = results.find(({ status }) => status === 'rejected')
      if (refused) throw (refused as PromiseRejectedResult).reason
    }
  },
})

class Caller {
  readonly #registry: Registry
  readonly #client: WebhookClient
  readonly #authorizer: Authorizer

  constructor({ registry, client, authorizer }: WebhookOptions) {
    this.#registry = registry
    this.#client = client
    this.#authorizer = authorizer
  }

  /** Whether the webhook wants to hear of the request, whose rules it fits. */
  async isFor(match: Match, attributes: Attributes): Promise<boolean> {
    const { namespaceSelector, objectSelector, conditions } = match.hook
    if (!(await namespaceSelected(namespaceSelector, attributes, this.#registry.reader))) return false
    if (!objectSelected(objectSelector, attributes)) return false
    return !conditions.length || this.#conditionsHold(match, attributes)
  }

  async #conditionsHold({ hook, as }: Match, attributes: Attributes): Promise<boolean> {
    const evaluation = await Evaluation.begin(this.#registry, this.#authorizer, as, attributes)
    const held = await conditionsHold(hook.conditions, evaluation)
    if (typeof held === 'boolean') return held
    if (hook.webhook.failurePolicy === 'Ignore') return false
    throw errors.forbidden(attributes.requested, attributes.name, held)
  }

  /** Undefined when the webhook failed and its policy is to go on. */
  async call(match: Match, attributes: Attributes, mutating: boolean): Promise<Verdict | undefined> {
    const { webhook } = match.hook
    const { name, sideEffects, failurePolicy } = webhook
    if (attributes.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') throw noDryRun(name)
    try {
      const verdict = await review(this.#client, webhook, await this.#request(match, attributes), mutating)
      attributes.warnings.push(...verdict.warnings)
      return verdict
    } catch (error) {
      if (error instanceof Denied) attributes.warnings.push(...error.warnings)
      if (!(error instanceof CallFailed)) throw error
      this.#registry.log.warn({ webhook: name, failurePolicy, reason: error.message }, 'webhook failed')
      if (failurePolicy === 'Ignore') return undefined
      throw errors.internal(error.message)
    }
  }

  async #request({ as }: Match, attributes: Attributes) {
    const object = await inVersion(this.#registry, as, attributes, attributes.object)
    const old = await inVersion(this.#registry, as, attributes, attributes.old)
    return admissionRequest(attributes, as, { uid: this.#registry.random.uuid(), object, old })
  }
}
