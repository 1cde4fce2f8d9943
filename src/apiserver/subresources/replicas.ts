import { type KubeObject, LabelSelector, type meta } from '../../api/index.ts'
import type { ScalePaths, Served } from '../registry/served.ts'

/** Where every built-in kind with a scale keeps its numbers. */
const BUILT_IN: ScalePaths = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }

const pathsOf = ({ custom }: Served): ScalePaths => custom?.scale ?? BUILT_IN

/** The numbers of a scale, read from the object itself. */
export function readReplicas(
  served: Served,
  object: KubeObject,
): { wanted: number; present: number; selector: string } {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = pathsOf(served)
  return {
    wanted: numberOf(valueAt(object, specReplicasPath)),
    present: numberOf(valueAt(object, statusReplicasPath)),
    selector: served.custom
      ? String((labelSelectorPath && valueAt(object, labelSelectorPath)) ?? '')
      : selectorText(valueAt(object, '.spec.selector')),
  }
}

export function writeReplicas(served: Served, object: KubeObject, wanted: number): void {
  const names = pathsOf(served).specReplicasPath.split('.').slice(1)
  const last = names.pop()!
  let at = object as unknown as Record<string, unknown>
  for (const name of names) {
    at[name] ??= {}
    at = at[name] as Record<string, unknown>
  }
  at[last] = wanted
}

const valueAt = (object: unknown, path: string): unknown =>
  path
    .split('.')
    .slice(1)
    .reduce((value, name) => (value as Record<string, unknown> | undefined)?.[name], object)

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)

function selectorText(value: unknown): string {
  if (!value) return ''
  const selector = value as meta.LabelSelector | Record<string, string>
  const whole = 'matchLabels' in selector || 'matchExpressions' in selector
  return (whole ? LabelSelector.of(selector) : LabelSelector.ofLabels(selector as Record<string, string>)).toString()
}
