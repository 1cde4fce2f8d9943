import type { rbac } from '../../../api/index.ts'
import type { Attributes } from '../authorizer.ts'

type Rule = rbac.PolicyRule

/** The rules of one role, sorted by what they are about, so that few are looked at for a question. */
export class RuleSet {
  readonly rules: readonly Rule[]
  readonly #byResource = new Map<string, Rule[]>()
  readonly #aboutPaths: Rule[] = []

  constructor(rules: readonly Rule[]) {
    this.rules = rules
    for (const rule of rules) {
      if (rule.nonResourceURLs?.length) this.#aboutPaths.push(rule)
      for (const resource of new Set(rule.resources)) {
        const known = this.#byResource.get(resource)
        if (known) known.push(rule)
        else this.#byResource.set(resource, [rule])
      }
    }
  }

  allows(attributes: Attributes): boolean {
    const { isResourceRequest, resource, subresource, path, verb } = attributes
    if (!isResourceRequest)
      return this.#aboutPaths.some(
        rule => has(rule.verbs, verb) && rule.nonResourceURLs!.some(url => covers(url, path)),
      )
    const named = subresource ? `${resource}/${subresource}` : resource
    return (
      this.#anyAbout(named, attributes) ||
      this.#anyAbout('*', attributes) ||
      (subresource !== '' && this.#anyAbout(`*/${subresource}`, attributes))
    )
  }

  #anyAbout(resource: string, { verb, group, name }: Attributes): boolean {
    const rules = this.#byResource.get(resource)
    if (!rules) return false
    return rules.some(
      ({ verbs, apiGroups, resourceNames }) =>
        has(verbs, verb) && has(apiGroups, group) && (!resourceNames?.length || resourceNames.includes(name)),
    )
  }
}

const has = (words: string[] | undefined, wanted: string): boolean =>
  words !== undefined && (words.includes(wanted) || words.includes('*'))

/** A path that ends in stars stands for all that begin so. */
const covers = (url: string, path: string): boolean =>
  url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')))

/**
 * What of `wanted` is not within `held`, each rule taken apart into those of one verb, group, resource and name.
 * Source: k8s.io/component-helpers/auth/rbac/validation Covers
 */
export function missingRules(held: readonly Rule[], wanted: readonly Rule[]): Rule[] {
  return wanted.flatMap(apart).filter(part => !held.some(rule => contains(rule, part)))
}

/** A rule of one verb and either one group, one resource and at most one name, or one path. */
function apart({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: Rule): Rule[] {
  const names = resourceNames.length ? resourceNames.map(name => ({ resourceNames: [name] })) : [{}]
  return [
    ...apiGroups.flatMap(group =>
      resources.flatMap(resource =>
        verbs.flatMap(verb =>
          names.map(name => ({ verbs: [verb], apiGroups: [group], resources: [resource], ...name })),
        ),
      ),
    ),
    ...nonResourceURLs.flatMap(url => verbs.map(verb => ({ verbs: [verb], nonResourceURLs: [url] }))),
  ]
}

function contains(
  rule: Rule,
  { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: Rule,
) {
  return (
    verbs.every(verb => has(rule.verbs, verb)) &&
    apiGroups.every(group => has(rule.apiGroups, group)) &&
    resources.every(resource => {
      const slash = resource.indexOf('/')
      const anyOf = slash === -1 ? undefined : `*${resource.slice(slash)}`
      return has(rule.resources, resource) || (anyOf !== undefined && rule.resources?.includes(anyOf))
    }) &&
    (!rule.resourceNames?.length || (resourceNames.length > 0 && rule.resourceNames.includes(resourceNames[0]!))) &&
    nonResourceURLs.every(path => rule.nonResourceURLs?.some(url => covers(url, path)))
  )
}

/** Rules about one resource that differ by their verbs become one. Source: k8s.io/kubernetes/pkg/registry/rbac/validation CompactRules */
export function compacted(rules: readonly Rule[]): Rule[] {
  const byResource = new Map<string, Rule>()
  const others: Rule[] = []
  for (const rule of rules) {
    const { verbs, apiGroups, resources, resourceNames = [], nonResourceURLs } = rule
    if (nonResourceURLs?.length || apiGroups?.length !== 1 || resources?.length !== 1 || resourceNames.length > 1) {
      others.push(rule)
      continue
    }
    const key = JSON.stringify([apiGroups, resources, resourceNames])
    const known = byResource.get(key)
    if (known) known.verbs.push(...verbs)
    else byResource.set(key, { ...rule, verbs: [...verbs] })
  }
  return [...others, ...byResource.values()]
}

/** As messages show it: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function describeRule({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: Rule): string {
  const parts = Object.entries({
    APIGroups: apiGroups,
    Resources: resources,
    NonResourceURLs: nonResourceURLs,
    ResourceNames: resourceNames,
    Verbs: verbs,
  })
  return `{${parts.flatMap(([name, words]) => (words?.length ? [`${name}:${quoted(words)}`] : [])).join(', ')}}`
}

/** A list as Go prints it. */
export const quoted = (words: readonly string[]): string => `[${words.map(word => JSON.stringify(word)).join(' ')}]`
