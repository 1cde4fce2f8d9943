import type { KubeObject, Resource } from '../../api/index.ts'
import type { User } from '../pipeline/context.ts'

/** One write on its way to the store. Source: k8s.io/apiserver/pkg/admission Attributes */
export interface Attributes {
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  resource: Resource
  subresource: string
  namespace: string
  name: string
  user: User
  dryRun: boolean
  /** Absent for a delete. A mutating plugin changes it in place. */
  object?: KubeObject
  /** Absent for a create. */
  old?: KubeObject
}

/** One admission plugin. Both stages refuse by throwing a StatusError. */
export interface AdmissionPlugin {
  /** As in `--enable-admission-plugins`. */
  name: string
  mutate?(attributes: Attributes): void | Promise<void>
  validate?(attributes: Attributes): void | Promise<void>
}

export interface Admission {
  mutate(attributes: Attributes): Promise<void>
  validate(attributes: Attributes): Promise<void>
}

/** The plugins in their order: all of one stage run before any of the next. */
export const chain = (plugins: AdmissionPlugin[]): Admission => ({
  async mutate(attributes) {
    for (const plugin of plugins) await plugin.mutate?.(attributes)
  },
  async validate(attributes) {
    for (const plugin of plugins) await plugin.validate?.(attributes)
  },
})
