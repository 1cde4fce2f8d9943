import { resources } from '../../../api/index.ts'
import type { Component } from '../../../base/index.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import { live } from '../../registry/live.ts'
import type { Registry } from '../../registry/registry.ts'
import type { WebhookClient } from '../../webhook/client.ts'
import { type AdmissionPlugin, type Attributes, annotate } from '../admission.ts'
import type { Equivalents } from '../match/rules.ts'
import type { AdmissionMetrics } from '../metrics.ts'
import { Round } from '../reinvocation.ts'
import { Caller } from './caller.ts'
import { Hooks, type Match } from './hooks.ts'
import { applyPatch } from './patch.ts'

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
  metrics: AdmissionMetrics
}

export async function admissionWebhooks(options: WebhookOptions): Promise<AdmissionWebhooks> {
  const { registry, equivalents } = options
  const configurations = await Promise.all([
    live(registry, resources.mutatingWebhookConfigurations),
    live(registry, resources.validatingWebhookConfigurations),
  ])
  const [mutating, validating] = configurations.map(each => new Hooks(each, equivalents)) as [Hooks, Hooks]
  return {
    mutating: mutatingPlugin(registry, new Caller(options, 'admit'), mutating),
    validating: validatingPlugin(new Caller(options, 'validating'), validating),
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
      const { id, webhook } = match.hook
      if (again && !round.isDue(id)) continue
      if (!(await caller.isFor(match, attributes))) continue
      if (await mutated(match, attributes)) round.changed(attributes)
      if (webhook.reinvocationPolicy === 'IfNeeded') round.called(id)
    }
    round.end(attributes)
  }

  /** Whether the webhook has changed the object; what it did is told in the audit event. */
  async function mutated(match: Match, attributes: Attributes): Promise<boolean> {
    const { configuration, webhook, index } = match.hook
    const place = `round_${attributes.reinvocation === 'running' ? 1 : 0}_index_${index}`
    const named = { configuration, webhook: webhook.name }
    let changed = false
    try {
      const verdict = await caller.call(match, attributes, `failed-open.mutation.webhook.admission.k8s.io/${place}`)
      if (!verdict?.patch) return false
      changed = await applyPatch(registry, match, attributes, verdict.patch)
      const told = JSON.stringify({ ...named, patch: verdict.patch, patchType: 'JSONPatch' })
      annotate(attributes, `patch.webhook.admission.k8s.io/${place}`, told, 'Request')
      return changed
    } finally {
      const told = JSON.stringify({ ...named, mutated: changed })
      annotate(attributes, `mutation.webhook.admission.k8s.io/${place}`, told)
    }
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
      const results = await Promise.allSettled(
        wanted.map((match, index) =>
          caller.call(match, about, `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`),
        ),
      )
      const refused = results.find(({ status }) => status === 'rejected')
      if (refused) throw (refused as PromiseRejectedResult).reason
    }
  },
})
