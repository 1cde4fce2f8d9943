import type { meta } from '../../api/index.ts'
import type { User } from '../pipeline/context.ts'
import type { Level, Stage } from './policy.ts'

/** What is noted at one stage of a request. Source: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
export interface Event {
  kind: 'Event'
  apiVersion: 'audit.k8s.io/v1'
  level: Level
  auditID: string
  stage: Stage
  requestURI: string
  verb: string
  user: UserInfo
  impersonatedUser?: UserInfo
  authenticationMetadata?: { impersonationConstraint: string }
  sourceIPs?: string[]
  userAgent?: string
  objectRef?: ObjectReference
  responseStatus?: Partial<meta.Status>
  requestObject?: unknown
  responseObject?: unknown
  /** MicroTime. */
  requestReceivedTimestamp: string
  stageTimestamp: string
  annotations?: Record<string, string>
}

export interface ObjectReference {
  resource?: string
  namespace?: string
  name?: string
  uid?: string
  apiGroup?: string
  apiVersion?: string
  resourceVersion?: string
  subresource?: string
}

export interface UserInfo {
  username?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}

export const userInfo = ({ name, uid, groups, extra }: User): UserInfo => ({
  ...(name ? { username: name } : {}),
  ...(uid ? { uid } : {}),
  ...(groups.length ? { groups } : {}),
  ...(extra ? { extra } : {}),
})

/** As one line of the log. Go escapes what could be taken for markup. */
export const asJson = (event: Event): string =>
  JSON.stringify(event).replace(/[<>&\u2028\u2029]/g, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The older form, for people. Source: k8s.io/apiserver/pkg/audit/format.go EventString */
export function asLegacy(event: Event): string {
  const { user, impersonatedUser, objectRef, responseStatus } = event
  const quoted = (text: string) => JSON.stringify(text)
  const groups = (of?: UserInfo) => (of?.groups?.length ? of.groups.map(quoted).join(',') : '<none>')
  return (
    `${event.requestReceivedTimestamp} AUDIT: id=${quoted(event.auditID)} stage=${quoted(event.stage)} ` +
    `ip=${quoted(event.sourceIPs?.[0] ?? '<unknown>')} method=${quoted(event.verb)} user=${quoted(user.username ?? '<none>')} ` +
    `groups=${quoted(groups(user))} as=${quoted(impersonatedUser?.username ?? '<self>')} ` +
    `asgroups=${quoted(impersonatedUser?.groups ? groups(impersonatedUser) : '<lookup>')} ` +
    `user-agent=${quoted(event.userAgent ?? '')} namespace=${quoted(objectRef?.namespace ?? '<none>')} ` +
    `uri=${quoted(event.requestURI)} response=${quoted(String(responseStatus?.code ?? '<deferred>'))}`
  )
}
