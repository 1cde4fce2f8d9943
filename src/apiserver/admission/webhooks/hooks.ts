import { type admissionregistration, LabelSelector, type Resource } from '../../../api/index.ts'
import { memoized } from '../../memo.ts'
import type { Live } from '../../registry/live.ts'
import type { Attributes } from '../admission.ts'
import { type Condition, conditionOf } from '../expressions.ts'
import { type Equivalents, isExempt, matchedVersion } from '../match/rules.ts'

/** What both kinds of webhooks have; `reinvocationPolicy` is of the mutating ones. */
export type Webhook = admissionregistration.ValidatingWebhook &
  Partial<Pick<admissionregistration.MutatingWebhook, 'reinvocationPolicy'>>

export type Configuration =
  | admissionregistration.MutatingWebhookConfiguration
  | admissionregistration.ValidatingWebhookConfiguration

/** One webhook of one configuration, made ready to be asked whom it is for. */
export interface Hook {
  /** Among all of its kind, over time. */
  id: string
  configuration: string
  /** Among all of its kind, now. */
  index: number
  webhook: Webhook
  namespaceSelector: LabelSelector
  objectSelector: LabelSelector
  conditions: Condition[]
}

/** A webhook whose rules a request fits, and the version in which it wants to see the object. */
export interface Match {
  hook: Hook
  as: Resource
}

const NONE: Match[] = []

/** The webhooks of all configurations in the order in which they are called, found by what a request is about. */
export class Hooks {
  readonly #live: Live<Configuration>
  readonly #equivalents: Equivalents
  #from: readonly Configuration[] = []
  #hooks: Hook[] = []
  #matches = new WeakMap<Resource, Map<string, Match[]>>()

  constructor(live: Live<Configuration>, equivalents: Equivalents) {
    this.#live = live
    this.#equivalents = equivalents
  }

  /** Those whose rules fit the request; selectors and conditions are still to be asked. */
  matching(attributes: Attributes): Match[] {
    const { objects } = this.#live
    if (objects !== this.#from) this.#rebuild(objects)
    if (!this.#hooks.length) return NONE
    const { requested, operation, subresource } = attributes
    const ofResource = memoized(this.#matches, requested, () => new Map<string, Match[]>())
    return memoized(ofResource, `${operation} ${subresource}`, () => this.#match(attributes))
  }

  #match(attributes: Attributes): Match[] {
    if (isExempt(attributes.resource)) return NONE
    return this.#hooks.flatMap(hook => {
      const { rules, matchPolicy } = hook.webhook
      const as = matchedVersion(rules, matchPolicy, attributes, this.#equivalents)
      return as ? [{ hook, as }] : []
    })
  }

  #rebuild(configurations: readonly Configuration[]): void {
    this.#from = configurations
    this.#hooks = configurations.flatMap(hooksOf).map((hook, index) => ({ ...hook, index }))
    this.#matches = new WeakMap()
  }
}

function hooksOf({ metadata, webhooks }: Configuration): Omit<Hook, 'index'>[] {
  const seen = new Map<string, number>()
  return (webhooks ?? []).map(webhook => {
    const nth = seen.get(webhook.name) ?? 0
    seen.set(webhook.name, nth + 1)
    return {
      id: `${metadata.name}/${webhook.name}/${nth}`,
      configuration: metadata.name,
      webhook,
      namespaceSelector: LabelSelector.of(webhook.namespaceSelector ?? {}),
      objectSelector: LabelSelector.of(webhook.objectSelector ?? {}),
      conditions: (webhook.matchConditions ?? []).map(({ name, expression }) => ({
        name,
        expression: conditionOf(expression),
      })),
    }
  })
}
