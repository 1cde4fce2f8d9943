import type { User } from '../../pipeline/context.ts'

const PREFIX = 'system:node:'

/**
 * Which node the user is; undefined when it is none, and empty when it does not say which.
 * Source: k8s.io/kubernetes/pkg/auth/nodeidentifier
 */
export const nodeNameOf = ({ name, groups }: User): string | undefined =>
  name.startsWith(PREFIX) && groups.includes('system:nodes') ? name.slice(PREFIX.length) : undefined
