import type { rbac } from '../../../api/index.ts'

export type Rule = rbac.PolicyRule

/** Verbs that occur again and again. */
export const READ = 'get list watch'
export const WRITE = 'create delete deletecollection patch update'

/** `rule('get list', 'core apps', 'pods deployments/scale')`: words apart by spaces; the group without a name is `core`. */
export const rule = (verbs: string, groups: string, resources: string, names?: string): Rule => ({
  verbs: verbs.split(' '),
  apiGroups: groups.split(' ').map(group => (group === 'core' ? '' : group)),
  resources: resources.split(' '),
  ...(names ? { resourceNames: names.split(' ') } : {}),
})

/** A rule about paths that are no resources. */
export const urls = (verbs: string, paths: string): Rule => ({
  verbs: verbs.split(' '),
  nonResourceURLs: paths.split(' '),
})

/** What everything that records events may do. */
export const EVENTS = rule('create patch update', 'core events.k8s.io', 'events')
