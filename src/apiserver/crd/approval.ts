import type { Definition } from './conversion.ts'
import type { Condition } from './names.ts'

export const ANNOTATION = 'api-approved.kubernetes.io'
const SEE = 'see https://github.com/kubernetes/enhancements/pull/1111'

export type Approval = { state: 'approved' | 'bypassed' | 'missing' | 'invalid'; message: string }

/** Groups that belong to Kubernetes itself, whose APIs have been reviewed. */
export const isProtected = (group: string): boolean => /(^|\.)(k8s|kubernetes)\.io$/.test(group)

/** Source: KEP-1111, k8s.io/apiextensions-apiserver/pkg/apihelpers */
export function approvalOf({ metadata }: Definition): Approval {
  const annotation = metadata.annotations?.[ANNOTATION] ?? ''
  if (!annotation)
    return { state: 'missing', message: `protected groups must have approval annotation "${ANNOTATION}", ${SEE}` }
  if (annotation.startsWith('unapproved'))
    return { state: 'bypassed', message: `not approved: ${JSON.stringify(annotation)}` }
  if (URL.canParse(annotation) && new URL(annotation).host)
    return { state: 'approved', message: `approved in ${annotation}` }
  return {
    state: 'invalid',
    message: `protected groups must have approval annotation "${ANNOTATION}" with either a URL or a reason starting with "unapproved", ${SEE}`,
  }
}

const REASONS: Record<Approval['state'], [status: string, reason: string]> = {
  approved: ['True', 'ApprovedAnnotation'],
  bypassed: ['False', 'UnapprovedAnnotation'],
  missing: ['False', 'MissingAnnotation'],
  invalid: ['False', 'InvalidAnnotation'],
}

/** Only of definitions in a protected group. */
export function approvalCondition(definition: Definition): Condition | undefined {
  if (!isProtected(definition.spec.group)) return undefined
  const { state, message } = approvalOf(definition)
  const [status, reason] = REASONS[state]
  return { type: 'KubernetesAPIApprovalPolicyConformant', status, reason, message }
}
