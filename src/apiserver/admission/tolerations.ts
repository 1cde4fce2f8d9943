import type { core } from '../../api/index.ts'
import { same } from '../registry/validation/field.ts'

/** Both lists as one, without what another of them tolerates as well. Source: k8s.io/kubernetes/pkg/util/tolerations */
export function merged(first: core.Toleration[] = [], second: core.Toleration[] = []): core.Toleration[] {
  const all = [...first, ...second]
  const kept: core.Toleration[] = []
  for (const [index, each] of all.entries()) {
    const later = all.slice(index + 1).some(other => !same(other, each) && covers(other, each))
    if (!later && !kept.some(other => covers(other, each))) kept.push(each)
  }
  return kept
}

/** Whether each is covered by one that is allowed; where nothing is said of it, everything is. */
export const isAllowed = (tolerations: core.Toleration[] = [], allowed: core.Toleration[] = []): boolean =>
  allowed.length === 0 || tolerations.every(each => allowed.some(other => covers(other, each)))

/** Whether `wide` tolerates all that `narrow` does. */
function covers(wide: core.Toleration, narrow: core.Toleration): boolean {
  if (same(wide, narrow)) return true
  const ofAllKeys = !wide.key && wide.operator === 'Exists'
  if ((narrow.key ?? '') !== (wide.key ?? '') && !ofAllKeys) return false
  if (wide.effect && narrow.effect !== wide.effect) return false
  if (wide.effect === 'NoExecute' && wide.tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > wide.tolerationSeconds) return false
  }
  if (wide.operator === 'Exists') return true
  const isEqual = !wide.operator || wide.operator === 'Equal'
  return isEqual && narrow.operator === 'Equal' && (narrow.value ?? '') === (wide.value ?? '')
}
