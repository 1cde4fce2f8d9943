/** The ways to change an object by a patch. None of them changes its arguments, and the result may share parts with them. */

export { PatchError } from './errors.ts'
export { goString } from './json.ts'
export { applyJsonPatch } from './json-patch.ts'
export { applyMergePatch } from './merge-patch.ts'
export { applyStrategicMergePatch } from './strategic.ts'
