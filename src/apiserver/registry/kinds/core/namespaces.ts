import { type core, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { complaints, each } from '../../validation/field.ts'

const NAME_LABEL = 'kubernetes.io/metadata.name'
/** Stands until the namespace controller has emptied the namespace. */
const FINALIZER = 'kubernetes'

/** Source: k8s.io/kubernetes/pkg/registry/core/namespace/strategy.go */
export const namespaceStrategy: Strategy<core.Namespace> = {
  defaults({ metadata, status }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name }
    status.phase ||= 'Active'
  },

  prepareCreate({ spec, status }) {
    status.phase = 'Active'
    if (!spec.finalizers?.includes(FINALIZER)) spec.finalizers = [...(spec.finalizers ?? []), FINALIZER]
  },

  prepareUpdate(namespace, old) {
    // Finalizers go by the finalize subresource alone.
    namespace.spec.finalizers = old.spec.finalizers
  },

  validate: ({ spec }) =>
    each(spec.finalizers, 'spec.finalizers', (name, field) =>
      complaints(field, name, names.qualifiedNameProblems(name)),
    ),

  held: ({ spec }) => !!spec.finalizers?.length,
  deleting({ status }) {
    status.phase = 'Terminating'
  },
  nameProblems: names.dns1123LabelProblems,
  generation: false,
  fields: ({ status }) => ({ 'status.phase': status.phase ?? '' }),
}
