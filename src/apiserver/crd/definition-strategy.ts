import { withCondition } from '../../api/index.ts'
import type { Strategy } from '../registry/strategy.ts'
import { CLEANUP_FINALIZER } from './cleanup.ts'
import type { Definition } from './conversion.ts'
import { loadRegexpFor } from './define.ts'
import { definitionProblems, statusProblems } from './validation/definition.ts'
import { formatWarnings } from './validation/formats.ts'

const HTTPS = 443

/** Source: k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition */
export const definitionStrategy: Strategy<Definition> = {
  allowUnconditionalUpdate: false,

  defaults({ spec }) {
    spec.names.singular ||= spec.names.kind?.toLowerCase()
    spec.names.listKind ||= spec.names.kind && `${spec.names.kind}List`
    spec.conversion ??= { strategy: 'None' }
    const service = spec.conversion.webhook?.clientConfig?.service
    if (service) service.port ??= HTTPS
  },

  async prepareCreate(definition) {
    await loadRegexpFor(definition)
    definition.status = { ...definition.status, storedVersions: [] }
    noteStorageVersion(definition)
  },

  async prepareUpdate(definition) {
    await loadRegexpFor(definition)
    noteStorageVersion(definition)
  },

  validate: definitionProblems,
  validateStatusUpdate: statusProblems,

  warnings: ({ spec }, old) => formatWarnings(spec, old?.spec),

  /** Its objects have to go first. */
  held: ({ metadata }) => metadata.deletionTimestamp === undefined,

  deleting(definition) {
    const { metadata, status } = definition
    if (!metadata.finalizers?.includes(CLEANUP_FINALIZER))
      metadata.finalizers = [...(metadata.finalizers ?? []), CLEANUP_FINALIZER]
    status.conditions = withCondition(status.conditions, {
      type: 'Terminating',
      status: 'True',
      lastTransitionTime: metadata.deletionTimestamp,
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    })
  },
}

/** Every version that objects may have been stored in, until somebody has written them all again and takes it out. */
function noteStorageVersion({ spec, status }: Definition): void {
  const stored = status.storedVersions ?? []
  const storage = spec.versions.find(version => version.storage)?.name
  status.storedVersions = storage === undefined || stored.includes(storage) ? stored : [...stored, storage]
}
