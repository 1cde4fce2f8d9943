/** The ways to change an object by a patch. None of them changes its arguments, and the result may share parts with them. */

export {
  type Application,
  anything,
  apply,
  atomics,
  customSchema,
  type FieldSet,
  isSameOwnership,
  type ListSchema,
  type MapField,
  type MapSchema,
  matching,
  mergeConfiguration,
  misfitText,
  modelSchema,
  type Outcome,
  ownersFromScale,
  ownersProblem,
  type ReplicasPaths,
  type Schema,
  type StructuralSchema,
  scaleOwners,
  setOf,
  settledTimes,
  trackUpdate,
  type Versions,
  type Write,
  without,
} from './apply/index.ts'
export { PatchError } from './errors.ts'
export { goString } from './json.ts'
export { applyJsonPatch } from './json-patch.ts'
export { applyMergePatch } from './merge-patch.ts'
export { applyStrategicMergePatch } from './strategic.ts'
