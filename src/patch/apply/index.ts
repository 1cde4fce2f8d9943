/** Server-side apply, and the managedFields that all writes keep. Nothing here changes its arguments. */

export { type FieldSet, matching, setOf, without } from './field-set.ts'
export { type Application, apply, type Outcome, settledTimes, trackUpdate } from './managed-fields.ts'
export { merge as mergeConfiguration } from './merge.ts'
export { modelSchema } from './model-schema.ts'
export { isSameOwnership, ownersProblem } from './owners.ts'
export { ownersFromScale, type ReplicasPaths, scaleOwners } from './scale.ts'
export { anything, type ListSchema, type MapField, type MapSchema, type Schema } from './schema.ts'
export { customSchema, type StructuralSchema } from './structural-schema.ts'
export type { Versions, Write } from './update.ts'
export { atomics, misfitText } from './validate.ts'
