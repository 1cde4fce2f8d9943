import { type core, type FieldError, names, type node } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { complaints, duplicate, each, immutable, required } from '../validation/field.ts'
import { oldLabel } from '../validation/node-labels.ts'
import { validateResources } from '../validation/resources.ts'
import { validateTolerations } from '../validation/scheduling.ts'
import { validateLabels } from '../validation/selectors.ts'

/** Source: k8s.io/kubernetes/pkg/apis/node/validation, pkg/registry/node/runtimeclass/strategy.go */
export const runtimeClassStrategy: Strategy<node.RuntimeClass> = {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validate({ handler, overhead, scheduling }, old) {
    return [
      ...(overhead ? overheadProblems(overhead) : []),
      ...(scheduling ? schedulingProblems(scheduling) : []),
      ...(handler ? complaints('handler', handler, names.dns1123LabelProblems(handler)) : [required('handler')]),
      ...(old ? immutable('handler', handler, old.handler) : []),
    ]
  },
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap(key => {
      const text = oldLabel(key)
      return text ? [`scheduling.nodeSelector: ${text}`] : []
    }),
  generation: false,
}

const overheadProblems = ({ podFixed }: node.Overhead): FieldError[] =>
  validateResources({ ...(podFixed ? { limits: podFixed } : {}) }, 'overhead')

const schedulingProblems = ({ nodeSelector, tolerations }: node.Scheduling): FieldError[] => [
  ...validateLabels(nodeSelector, 'scheduling.nodeSelector'),
  ...validateTolerations(tolerations, 'scheduling.tolerations'),
  ...repeated(tolerations, 'scheduling.tolerations'),
]

/** Two that differ only in how long they hold; upstream shows its own names of the fields. */
function repeated(tolerations: core.Toleration[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>()
  return each(tolerations, path, (toleration, at) => {
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds = null } = toleration
    const shown = { Key: key, Operator: operator, Value: value, Effect: effect }
    const identity = JSON.stringify(shown)
    if (seen.has(identity)) return [duplicate(at, { ...shown, TolerationSeconds: tolerationSeconds })]
    seen.add(identity)
    return []
  })
}
