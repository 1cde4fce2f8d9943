import type { apps } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { immutable, nonNegative, required } from '../../validation/field.ts'

/** Source: k8s.io/kubernetes/pkg/apis/apps/validation ValidateControllerRevision */
export const controllerRevisionStrategy: Strategy<apps.ControllerRevision> = {
  validate: ({ data, revision }) => [
    ...(data === undefined ? [required('data', 'data is mandatory')] : []),
    ...nonNegative('revision', revision),
  ],
  validateUpdate: ({ data }, { data: old }) => immutable('data', data, old),
}
