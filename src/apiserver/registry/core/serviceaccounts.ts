import type { core } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'

/** A ServiceAccount has no rules of its own: what it refers to may come later, or never. */
export const serviceAccountStrategy: Strategy<core.ServiceAccount> = {}
