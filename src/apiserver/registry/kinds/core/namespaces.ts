import { type core, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { complaints, each, invalid } from '../../validation/field.ts'

const NAME_LABEL = 'kubernetes.io/metadata.name'
/** Stands until the namespace controller has emptied the namespace. */
const FINALIZER = 'kubernetes'

const PATH = 'spec.finalizers'
const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion']
const NOT_QUALIFIED = 'name is neither a standard finalizer name nor is it fully qualified'

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
    each(spec.finalizers, PATH, (name, path) => [
      ...complaints(path, name, names.qualifiedNameProblems(name)),
      ...(name.includes('/') || STANDARD_FINALIZERS.includes(name) ? [] : [invalid(path, name, NOT_QUALIFIED)]),
    ]),
  validateStatusUpdate({ metadata, status: { phase = '' } }) {
    const expected = metadata.deletionTimestamp ? 'Terminating' : 'Active'
    if (phase === expected) return []
    const when = `\`deletionTimestamp\` is ${expected === 'Active' ? 'empty' : 'not empty'}`
    return [invalid('status.Phase', phase, `may only be '${expected}' if ${when}`)]
  },

  held: ({ spec }) => !!spec.finalizers?.length,
  deleting({ status }) {
    status.phase = 'Terminating'
  },
  nameProblems: names.dns1123LabelProblems,
  generation: false,
  fields: ({ status }) => ({ 'status.phase': status.phase ?? '' }),
}
