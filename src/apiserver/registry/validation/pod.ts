import { type core, type FieldError, names } from '../../../api/index.ts'
import { validateContainers } from './containers.ts'
import { complaints, duplicate, each, forbidden, invalid, oneOf, required, tooMany } from './field.ts'
import { validateResourceValue } from './resources.ts'
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts'
import { validatePodSecurityContext } from './security.ts'
import { validateLabels } from './selectors.ts'
import { validateVolumes } from './volumes.ts'

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePodSpec */

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const PREEMPTION_POLICIES = ['Never', 'PreemptLowerPriority']
const MOST_NAMESERVERS = 3
const MOST_SEARCHES = 32
const LONGEST_SEARCHES = 2048
const LARGEST_INT32 = 2 ** 31 - 1

export function validatePod({ spec }: core.Pod): FieldError[] {
  const problems = validatePodSpec(spec, 'spec')
  if (spec.ephemeralContainers?.length) {
    // They are added to a pod that runs, through a subresource of their own, and so may stay when the pod is updated.
    return problems
  }
  return [
    ...problems,
    ...validateImageSpace(spec.containers, 'spec.containers'),
    ...validateImageSpace(spec.initContainers, 'spec.initContainers'),
  ]
}

const validateImageSpace = (containers: core.Container[] | undefined, path: string): FieldError[] =>
  each(containers, path, ({ image = '' }, at) =>
    image === image.trim() ? [] : [invalid(`${at}.image`, image, 'must not have leading or trailing whitespace')],
  )

export function validatePodSpec(spec: core.PodSpec, path: string): FieldError[] {
  return [
    ...validateVolumes(spec.volumes, `${path}.volumes`),
    ...validateContainers(spec, path),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${path}.securityContext`),
    ...each(spec.imagePullSecrets, `${path}.imagePullSecrets`, ({ name }, at) =>
      name ? [] : [required(`${at}.name`)],
    ),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...validateGates(spec, path),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateNames(spec, path),
    ...validateLifetime(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...each(spec.hostAliases, `${path}.hostAliases`, validateHostAlias),
    ...validatePriority(spec, path),
    ...Object.entries(spec.overhead ?? {}).flatMap(([name, amount]) =>
      validateResourceValue(name, amount, `${path}.overhead[${name}]`),
    ),
  ]
}

function validateNames(spec: core.PodSpec, path: string): FieldError[] {
  const checks: [keyof core.PodSpec, (name: string) => string[]][] = [
    ['serviceAccountName', names.dns1123SubdomainProblems],
    ['nodeName', names.dns1123SubdomainProblems],
    ['hostname', names.dns1123LabelProblems],
    ['subdomain', names.dns1123LabelProblems],
    ['priorityClassName', names.dns1123SubdomainProblems],
    ['runtimeClassName', names.dns1123SubdomainProblems],
  ]
  return checks.flatMap(([field, check]) => {
    const value = spec[field] as string | undefined
    return value ? complaints(`${path}.${field}`, value, check(value)) : []
  })
}

function validateLifetime(
  { activeDeadlineSeconds: deadline, terminationGracePeriodSeconds: grace }: core.PodSpec,
  path: string,
) {
  const problems: FieldError[] = []
  if (deadline !== undefined && (deadline < 1 || deadline > LARGEST_INT32)) {
    problems.push(
      invalid(`${path}.activeDeadlineSeconds`, deadline, `must be between 1 and ${LARGEST_INT32}, inclusive`),
    )
  }
  if (grace === undefined) problems.push(required(`${path}.terminationGracePeriodSeconds`))
  return problems
}

function validatePriority({ preemptionPolicy, os }: core.PodSpec, path: string): FieldError[] {
  return [
    ...(preemptionPolicy ? oneOf(`${path}.preemptionPolicy`, preemptionPolicy, PREEMPTION_POLICIES) : []),
    ...(os ? oneOf(`${path}.os.name`, os.name, ['linux', 'windows']) : []),
  ]
}

function validateGates(spec: core.PodSpec, path: string): FieldError[] {
  const seen = new Set<string>()
  return [
    ...each(spec.readinessGates, `${path}.readinessGates`, ({ conditionType }, at) =>
      complaints(`${at}.conditionType`, conditionType, names.qualifiedNameProblems(conditionType)),
    ),
    ...each(spec.schedulingGates, `${path}.schedulingGates`, ({ name }, at) => {
      const problems = complaints(at, name, names.qualifiedNameProblems(name))
      if (seen.has(name)) problems.push(duplicate(at, name))
      seen.add(name)
      return problems
    }),
    ...(spec.nodeName && spec.schedulingGates?.length
      ? [forbidden(`${path}.nodeName`, 'cannot be set until all schedulingGates have been cleared')]
      : []),
  ]
}

const validateHostAlias = ({ ip: address, hostnames }: core.HostAlias, path: string): FieldError[] => [
  ...complaints(`${path}.ip`, address, names.ipProblems(address)),
  ...each(hostnames, `${path}.hostnames`, (name, at) => complaints(at, name, names.dns1123SubdomainProblems(name))),
]

function validateDns({ dnsPolicy, dnsConfig }: core.PodSpec, path: string): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {}
  const problems: FieldError[] = []
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    const field = dnsConfig ? `${path}.nameservers` : path
    problems.push(required(field, 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
  }
  if (nameservers.length > MOST_NAMESERVERS)
    problems.push(tooMany(`${path}.nameservers`, nameservers.length, MOST_NAMESERVERS))
  problems.push(
    ...each(nameservers, `${path}.nameservers`, (address, at) => complaints(at, address, names.ipProblems(address))),
  )
  if (searches.length > MOST_SEARCHES) problems.push(tooMany(`${path}.searches`, searches.length, MOST_SEARCHES))
  if (searches.join(' ').length > LONGEST_SEARCHES) {
    const field = `${path}.searches`
    problems.push(
      invalid(
        field,
        searches,
        `must not have more than ${LONGEST_SEARCHES} characters (including spaces) in the search list`,
      ),
    )
  }
  const searchName = (search: string) => search.replace(/\.$/, '').replaceAll('_', '-')
  problems.push(
    ...each(searches, `${path}.searches`, (search, at) =>
      search === '.' ? [] : complaints(at, search, names.dns1123SubdomainProblems(searchName(search))),
    ),
  )
  return [
    ...problems,
    ...each(options, `${path}.options`, ({ name }, at) => (name ? [] : [required(at, 'must not be empty')])),
  ]
}
