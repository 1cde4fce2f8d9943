import { addedCapabilities, procMount, seccompSet } from './baseline.ts'
import {
  type Check,
  containersWith,
  distinct,
  type Finding,
  named,
  plural,
  quoted,
  type Runs,
  setters,
  unlessUserNamespace,
  unlessWindows,
} from './check.ts'

function privilegeEscalation(pod: Runs): Finding | undefined {
  const containers = containersWith(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
  return containers.length
    ? {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${named(containers)} must set securityContext.allowPrivilegeEscalation=false`,
      }
    : undefined
}

function capabilities(pod: Runs): Finding | undefined {
  const keeping = containersWith(pod, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'))
  const added = addedCapabilities(pod, name => name === 'NET_BIND_SERVICE')
  const details = [
    ...(keeping.length ? [`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(added === undefined ? [] : [added]),
  ]
  return details.length ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined
}

const VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

function volumes({ spec }: Runs): Finding | undefined {
  const sourceOf = (volume: object) => Object.keys(volume).find(field => field !== 'name') ?? 'unknown'
  const bad = (spec.volumes ?? []).filter(volume => !VOLUMES.has(sourceOf(volume)))
  if (!bad.length) return undefined
  const types = distinct(bad.map(sourceOf))
  const use = plural(bad.length, 'uses', 'use')
  const names = bad.map(({ name }) => name)
  return {
    reason: 'restricted volume types',
    detail: `${named(names, 'volume')} ${use} ${plural(types.length, 'restricted volume type')} ${quoted(types)}`,
  }
}

function runAsNonRoot(pod: Runs): Finding | undefined {
  const own = pod.spec.securityContext?.runAsNonRoot
  const reason = 'runAsNonRoot != true'
  const who = setters(
    own === false,
    containersWith(pod, ({ securityContext }) => securityContext?.runAsNonRoot === false),
  )
  if (who) return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` }
  if (own) return undefined
  const silent = containersWith(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined)
  return silent.length
    ? { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` }
    : undefined
}

function runAsUser(pod: Runs): Finding | undefined {
  const own = pod.spec.securityContext?.runAsUser === 0
  const containers = containersWith(pod, ({ securityContext }) => securityContext?.runAsUser === 0)
  const who = setters(own, containers)
  return who ? { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` } : undefined
}

/** Here a profile has to be set. */
function seccomp(pod: Runs): Finding | undefined {
  const bad = seccompSet(pod)
  if (bad || pod.spec.securityContext?.seccompProfile) return bad
  const silent = containersWith(pod, ({ securityContext }) => securityContext?.seccompProfile === undefined)
  return silent.length
    ? {
        reason: 'seccompProfile',
        detail: `pod or ${named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      }
    : undefined
}

/** What hardened pods keep to, besides the baseline. */
export const RESTRICTED: Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    since: [
      [8, privilegeEscalation],
      [25, unlessWindows(privilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    replaces: 'capabilities_baseline',
    since: [
      [22, capabilities],
      [25, unlessWindows(capabilities)],
    ],
  },
  { id: 'procMount_restricted', replaces: 'procMount', since: [[35, procMount]] },
  { id: 'restrictedVolumes', replaces: 'hostPathVolumes', since: [[0, volumes]] },
  {
    id: 'runAsNonRoot',
    since: [
      [0, runAsNonRoot],
      [35, unlessUserNamespace(runAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    since: [
      [23, runAsUser],
      [35, unlessUserNamespace(runAsUser)],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    replaces: 'seccompProfile_baseline',
    since: [
      [19, seccomp],
      [25, unlessWindows(seccomp)],
    ],
  },
]
