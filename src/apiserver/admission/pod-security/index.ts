import { type batch, type core, errors, fieldErrors, type KubeObject, resources } from '../../../api/index.ts'
import type { Component } from '../../../base/index.ts'
import { follow } from '../../registry/live.ts'
import type { Registry } from '../../registry/registry.ts'
import { same } from '../../registry/validation/field.ts'
import { type AdmissionPlugin, type Attributes, annotate } from '../admission.ts'
import type { AdmissionMetrics } from '../metrics.ts'
import type { Runs } from './check.ts'
import { type PodSecurityConfiguration, podSecurityOptions } from './config.ts'
import { findings, told } from './evaluate.ts'
import { warningsOf } from './existing.ts'
import { alike, isLax, MODES, type Policy, PREFIX, policyOf, type Standard, strictness, text } from './policy.ts'

type Evaluated = ReturnType<typeof policyOf>

/** Where a kind keeps what its pods will be; the pods themselves are judged when they come. */
const TEMPLATES: Record<string, (object: KubeObject) => Runs | undefined> = {
  replicationcontrollers: object => (object as core.ReplicationController).spec.template,
  podtemplates: object => (object as core.PodTemplate).template,
  'apps/replicasets': ofSpec,
  'apps/deployments': ofSpec,
  'apps/statefulsets': ofSpec,
  'apps/daemonsets': ofSpec,
  'batch/jobs': ofSpec,
  'batch/cronjobs': object => (object as batch.CronJob).spec.jobTemplate.spec.template,
}

function ofSpec(object: KubeObject): Runs {
  return (object as batch.Job).spec.template
}

/** Parts of a pod that say nothing of what it may do. */
const HARMLESS = ['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']

/**
 * Holds pods against the Pod Security Standard that their namespace asks for.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
export async function podSecurity(
  registry: Registry,
  metrics: AdmissionMetrics,
  configuration?: PodSecurityConfiguration,
): Promise<AdmissionPlugin & Component> {
  const { reader, clock } = registry
  const { defaults, exemptions } = podSecurityOptions(configuration)
  const usual: Evaluated = { policy: defaults, problems: [] }
  /** Of namespaces that say what they want, by name. */
  const policies = new Map<string, Evaluated>()
  const { prefix } = registry.served(resources.namespaces)
  const following = await follow(registry, resources.namespaces, {
    set(key, namespace) {
      const { labels = {} } = namespace?.metadata ?? {}
      const name = key.slice(prefix.length)
      if (Object.keys(labels).some(label => label.startsWith(PREFIX))) policies.set(name, policyOf(labels, defaults))
      else policies.delete(name)
    },
  })

  function validatePod(attributes: Attributes): void {
    const { operation, subresource, namespace, object, old } = attributes
    if (HARMLESS.includes(subresource) || isExempt(attributes)) return
    const evaluated = policies.get(namespace) ?? usual
    if (!evaluated.problems.length && isLax(evaluated.policy)) {
      annotate(attributes, `${PREFIX}enforce-policy`, text(evaluated.policy.enforce))
      metrics.podSecurityEvaluated(attributes, 'allow', 'enforce', evaluated.policy.enforce)
      return
    }
    const pod = object as core.Pod
    if (operation === 'UPDATE' && !changesWhatRuns(pod.spec, (old as core.Pod).spec)) return
    judge(attributes, evaluated, pod, true)
  }

  function validateTemplate(attributes: Attributes, pod: Runs | undefined): void {
    if (isExempt(attributes)) return
    const evaluated = policies.get(attributes.namespace) ?? usual
    const { warn, audit } = evaluated.policy
    if (!evaluated.problems.length && warn.level === 'privileged' && audit.level === 'privileged') return
    if (pod) judge(attributes, evaluated, pod, false)
  }

  function judge(attributes: Attributes, { policy, problems }: Evaluated, pod: Runs, enforced: boolean): void {
    if (exemptions.runtimeClasses.includes(pod.spec.runtimeClassName ?? '')) {
      exempted(attributes, 'runtimeClass')
      return
    }
    if (problems.length) {
      annotate(attributes, `${PREFIX}error`, `Failed to parse policy: ${fieldErrors(problems)}`)
      metrics.podSecurityFailed(attributes)
    }
    const { enforce, audit, warn } = policy
    const evaluated = (mode: keyof Policy, denied: boolean) =>
      metrics.podSecurityEvaluated(attributes, denied ? 'deny' : 'allow', mode, policy[mode])
    const violations = enforced ? findings(enforce, pod) : []
    if (enforced) {
      annotate(attributes, `${PREFIX}enforce-policy`, text(enforce))
      evaluated('enforce', violations.length > 0)
    }
    const noted = findings(audit, pod)
    if (noted.length) {
      annotate(attributes, `${PREFIX}audit-violations`, `would violate ${told(audit, noted)}`)
      evaluated('audit', true)
    }
    if (violations.length)
      throw errors.forbidden(attributes.requested, attributes.name, `violates ${told(enforce, violations)}`)
    const warned = findings(warn, pod)
    if (!warned.length) return
    attributes.warnings.push(`would violate ${told(warn, warned)}`)
    evaluated('warn', true)
  }

  function isExempt(attributes: Attributes): boolean {
    const exemption = exemptions.namespaces.includes(attributes.namespace)
      ? 'namespace'
      : exemptions.usernames.includes(attributes.user.name) && 'user'
    if (!exemption) return false
    exempted(attributes, exemption)
    return true
  }

  function exempted(attributes: Attributes, why: string): void {
    annotate(attributes, `${PREFIX}exempt`, why)
    metrics.podSecurityExempted(attributes)
  }

  async function validateNamespace({ operation, name, object, old, warnings }: Attributes): Promise<void> {
    const { labels = {} } = object!.metadata
    const { policy, problems } = policyOf(labels, defaults)
    const before = old && policyOf(old.metadata.labels, defaults)
    if (problems.length && !same(problems, before?.problems ?? []))
      throw errors.invalid(resources.namespaces, name, problems)
    if (before && !isStricter(policy.enforce, before.policy.enforce)) return
    if (exemptions.namespaces.includes(name)) {
      if (!isLax(policy) && !isEquivalent(policy, defaults)) warnings.push(ignored(name, policy, labels))
      return
    }
    if (operation === 'CREATE') return
    const pods = (await reader.list(resources.pods, name)).filter(
      ({ spec }) => !exemptions.runtimeClasses.includes(spec.runtimeClassName ?? ''),
    )
    warnings.push(...warningsOf(name, pods, policy.enforce, clock))
  }

  return {
    name: 'PodSecurity',
    validate(attributes) {
      const { operation, resource, subresource, object } = attributes
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      const { group, resource: plural } = resource
      if (group === '' && plural === 'pods') return validatePod(attributes)
      if (subresource) return
      if (group === '' && plural === 'namespaces') return validateNamespace(attributes)
      const templateOf = TEMPLATES[group ? `${group}/${plural}` : plural]
      if (templateOf) validateTemplate(attributes, templateOf(object!))
    },
    stop: () => following.stop(),
  }
}

/** Another standard than before, by which pods may fall short that did not. */
const isStricter = (standard: Standard, old: Standard) =>
  !alike(standard, old) &&
  standard.level !== 'privileged' &&
  (standard.version !== old.version || strictness(standard) > strictness(old))

const isEquivalent = (a: Policy, b: Policy) =>
  MODES.every(mode => alike(a[mode], b[mode]) || (a[mode].level === 'privileged' && b[mode].level === 'privileged'))

function ignored(name: string, policy: Policy, labels: Record<string, string>): string {
  const said = MODES.filter(mode => policy[mode].level !== 'privileged')
    .filter(mode => [mode, `${mode}-version`].some(label => Object.hasOwn(labels, PREFIX + label)))
    .map(mode => `${mode}=${text(policy[mode])}`)
  return `namespace ${JSON.stringify(name)} is exempt from Pod Security, and the policy (${said.join(', ')}) will be ignored`
}

/** Of what matters here only images change, and containers come for debugging. */
function changesWhatRuns(spec: core.PodSpec, old: core.PodSpec): boolean {
  const images = ({ containers, initContainers = [] }: core.PodSpec) =>
    [containers, initContainers].map(each => each.map(({ image }) => image))
  if (!same(images(spec), images(old))) return true
  return (spec.ephemeralContainers ?? []).some(
    ({ name, image }) => old.ephemeralContainers?.find(each => each.name === name)?.image !== image,
  )
}
