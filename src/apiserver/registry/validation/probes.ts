import { type core, type FieldError, names } from '../../../api/index.ts'
import { complaints, forbidden, invalid, nonNegative, notSupported, positive, required } from './field.ts'

/** How often and by what a container is looked at, and what runs at its start and end. */

const BAD_HEADER =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"

type Handler = core.ProbeHandler & Pick<core.LifecycleHandler, 'sleep'>

export function validateProbes(container: core.Container, path: string, spec: core.PodSpec): FieldError[] {
  const { livenessProbe: liveness, readinessProbe: readiness, startupProbe: startup } = container
  const problems = [
    ...validateLifecycle(container.lifecycle, `${path}.lifecycle`, spec),
    ...validateProbe(liveness, `${path}.livenessProbe`),
    ...succeedsOnce(liveness, `${path}.livenessProbe`),
    ...validateProbe(readiness, `${path}.readinessProbe`),
    ...validateProbe(startup, `${path}.startupProbe`),
    ...succeedsOnce(startup, `${path}.startupProbe`),
  ]
  if (readiness?.terminationGracePeriodSeconds !== undefined) {
    const field = `${path}.readinessProbe.terminationGracePeriodSeconds`
    problems.push(invalid(field, readiness.terminationGracePeriodSeconds, 'must not be set for readinessProbes'))
  }
  return problems
}

function validateProbe(probe: core.Probe | undefined, path: string): FieldError[] {
  if (!probe) return []
  return [
    ...validateHandler(probe, path),
    ...nonNegative(`${path}.initialDelaySeconds`, probe.initialDelaySeconds),
    ...nonNegative(`${path}.timeoutSeconds`, probe.timeoutSeconds),
    ...nonNegative(`${path}.periodSeconds`, probe.periodSeconds),
    ...nonNegative(`${path}.successThreshold`, probe.successThreshold),
    ...nonNegative(`${path}.failureThreshold`, probe.failureThreshold),
    ...positive(`${path}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds),
  ]
}

/** After a failure the container is gone, so there is no second success to wait for. */
const succeedsOnce = (probe: core.Probe | undefined, path: string) =>
  probe && probe.successThreshold !== 1 && probe.successThreshold !== undefined
    ? [invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1')]
    : []

function validateLifecycle(
  lifecycle: core.Lifecycle | undefined,
  path: string,
  { terminationGracePeriodSeconds: grace }: core.PodSpec,
): FieldError[] {
  return (['postStart', 'preStop'] as const).flatMap(moment => {
    const handler = lifecycle?.[moment]
    return handler ? validateHandler(handler, `${path}.${moment}`, grace) : []
  })
}

const HANDLERS: {
  [K in keyof Handler]-?: (action: NonNullable<Handler[K]>, path: string, grace: number) => FieldError[]
} = {
  exec: ({ command }, path) => (command?.length ? [] : [required(`${path}.command`)]),
  httpGet: validateHttpGet,
  tcpSocket: ({ port }, path) => validatePort(port, `${path}.port`),
  grpc: ({ port }, path) => complaints(`${path}.port`, port, names.portNumberProblems(port)),
  sleep: ({ seconds }, path, grace) =>
    seconds < 0 || seconds > grace
      ? [invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)]
      : [],
}

function validateHandler(handler: Handler, path: string, grace = 0): FieldError[] {
  const [given, ...more] = (Object.keys(HANDLERS) as (keyof Handler)[]).filter(kind => handler[kind] !== undefined)
  if (!given) return [required(path, 'must specify a handler type')]
  const check = HANDLERS[given] as (action: unknown, path: string, grace: number) => FieldError[]
  return [
    ...check(handler[given], `${path}.${given}`, grace),
    ...more.map(kind => forbidden(`${path}.${kind}`, 'may not specify more than 1 handler type')),
  ]
}

function validateHttpGet({ path: urlPath, port, scheme, httpHeaders }: core.HTTPGetAction, path: string): FieldError[] {
  const problems = urlPath ? [] : [required(`${path}.path`)]
  problems.push(...validatePort(port, `${path}.port`))
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') problems.push(notSupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS']))
  const headers = (httpHeaders ?? []).flatMap(({ name }) =>
    /^[-A-Za-z0-9]+$/.test(name) ? [] : [invalid(`${path}.httpHeaders`, name, BAD_HEADER)],
  )
  return [...problems, ...headers]
}

/** A port by number, or by the name that the container gives it. */
export function validatePort(port: number | string | undefined, field: string): FieldError[] {
  return typeof port === 'string'
    ? complaints(field, port, names.portNameProblems(port))
    : complaints(field, port ?? 0, names.portNumberProblems(port ?? 0))
}
