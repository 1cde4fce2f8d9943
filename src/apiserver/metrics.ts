import { allResources, type Resource } from '../api/index.ts'
import type { Store } from '../store/index.ts'
import type { Context, RequestInfo } from './pipeline/context.ts'

/** Upper bounds in seconds. Source: k8s.io/apiserver/pkg/endpoints/metrics requestLatencies */
const SECONDS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
/** Upper bounds in bytes, of answers and of the events of watches. */
const ANSWER_BYTES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
const EVENT_BYTES = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072]

/** How often something was how large. */
class Histogram {
  readonly #bounds: number[]
  /** One more than there are bounds: the last is for everything above them. */
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: number[]) {
    this.#bounds = bounds
    this.#counts = new Array(bounds.length + 1).fill(0)
  }

  add(value: number): void {
    let at = 0
    while (at < this.#bounds.length && value > this.#bounds[at]!) at++
    this.#counts[at]!++
    this.#sum += value
  }

  lines(name: string, labels: string): string[] {
    let total = 0
    const buckets = [...this.#bounds, '+Inf'].map((bound, at) => {
      total += this.#counts[at]!
      return `${name}_bucket{${labels},le="${shown(bound)}"} ${total}`
    })
    return [...buckets, `${name}_sum{${labels}} ${this.#sum}`, `${name}_count{${labels}} ${total}`]
  }
}

/** As Go writes a number. */
const shown = (bound: number | string) =>
  typeof bound === 'number' && bound >= 1e6 ? `1e+${String(Math.log10(bound)).padStart(2, '0')}` : bound

interface Series {
  labels: string
  /** Without what says that nothing is kept of a write. */
  gaugeLabels: string
  codes: Map<number, number>
  duration: Histogram
  /** Of answers to reads; others have none. */
  sizes?: Histogram
  /** Of requests that go on for long, those that do. */
  running: number
  longRunning: boolean
}

interface Watched {
  labels: string
  count: number
  sizes: Histogram
}

/** Something else whose figures are shown. */
export interface Further {
  text(): string | Promise<string>
}

/**
 * Counts requests as kube-apiserver names and labels them. The bookkeeping is by hand, since it is on every request's
 * path; Node's own figures are prom-client's, which is loaded when they are first asked for.
 * Source: https://kubernetes.io/docs/reference/instrumentation/metrics/
 */
export class RequestMetrics {
  readonly #series = new Map<string, Series>()
  readonly #watched = new Map<string, Watched>()
  readonly #started: number
  #readOnly = 0
  #mutating = 0
  #defaults: Promise<() => Promise<string>> | undefined
  readonly #further: Further[]

  /** `further`: what other parts count; `started`: seconds since the epoch. */
  constructor(further: Further[] = [], started = 0) {
    this.#further = further
    this.#started = started
  }

  /** When the process began, which upstream says beside the figures. */
  get started(): number {
    return this.#started
  }

  begin(mutating: boolean): void {
    if (mutating) this.#mutating++
    else this.#readOnly++
  }

  end(mutating: boolean): void {
    if (mutating) this.#mutating--
    else this.#readOnly--
  }

  /** A request that goes on for long has begun; call what is returned when it is over. */
  running(context: Context): () => void {
    const series = this.#of(context)
    series.longRunning = true
    series.running++
    return () => {
      series.running--
    }
  }

  observe(context: Context, code: number, seconds: number): void {
    const series = this.#of(context)
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    series.duration.add(seconds)
    if (context.answerLength !== undefined) series.sizes?.add(context.answerLength)
  }

  /** Counts the events of one watch. */
  watched({ resource }: Context): (events: Buffer[]) => void {
    const { group, version, resource: name } = resource!
    const labels = `group="${group}",resource="${name}",version="${version}"`
    let watched = this.#watched.get(labels)
    if (!watched) {
      watched = { labels, count: 0, sizes: new Histogram(EVENT_BYTES) }
      this.#watched.set(labels, watched)
    }
    const { sizes } = watched
    return events => {
      watched.count += events.length
      for (const { length } of events) sizes.add(length)
    }
  }

  #of(context: Context): Series {
    const { info, resource } = context
    const key = resource ? keyOf(context, info) : `${info.verb} ${rootOf(info.path)}`
    let series = this.#series.get(key)
    if (!series) {
      // There is no end of what clients can make up.
      if (resource && !isKnown(resource, info)) return this.#of({ ...context, info, resource: undefined } as Context)
      series = newSeries(context)
      this.#series.set(key, series)
    }
    return series
  }

  /** The text format of Prometheus. */
  async text(): Promise<string> {
    const all = [...this.#series.values()]
    const watched = [...this.#watched.values()]
    const lines = [
      ...about('apiserver_request_total', 'counter', '[STABLE] Counter of apiserver requests by verb and HTTP code.'),
      ...all.flatMap(({ labels, codes }) =>
        [...codes].map(([code, count]) => `apiserver_request_total{code="${code}",${labels}} ${count}`),
      ),
      ...about('apiserver_request_duration_seconds', 'histogram', '[STABLE] Response latency in seconds.'),
      ...all.flatMap(({ labels, duration }) => duration.lines('apiserver_request_duration_seconds', labels)),
      ...about('apiserver_response_sizes', 'histogram', '[STABLE] Size in bytes of what reads are answered.'),
      ...all.flatMap(({ gaugeLabels, sizes }) => sizes?.lines('apiserver_response_sizes', gaugeLabels) ?? []),
      ...about('apiserver_longrunning_requests', 'gauge', '[STABLE] Requests that go on for long, and do now.'),
      ...all
        .filter(({ longRunning }) => longRunning)
        .map(({ gaugeLabels, running }) => `apiserver_longrunning_requests{${gaugeLabels}} ${running}`),
      ...about('apiserver_watch_events_total', 'counter', '[ALPHA] Events sent to those who watch.'),
      ...watched.map(({ labels, count }) => `apiserver_watch_events_total{${labels}} ${count}`),
      ...about('apiserver_watch_events_sizes', 'histogram', '[ALPHA] Size in bytes of those events.'),
      ...watched.flatMap(({ labels, sizes }) => sizes.lines('apiserver_watch_events_sizes', labels)),
      ...about('apiserver_current_inflight_requests', 'gauge', '[STABLE] Requests being answered now, by kind.'),
      `apiserver_current_inflight_requests{request_kind="mutating"} ${this.#mutating}`,
      `apiserver_current_inflight_requests{request_kind="readOnly"} ${this.#readOnly}`,
    ]
    this.#defaults ??= processMetrics()
    const further = (await Promise.all(this.#further.map(each => each.text()))).join('')
    return `${lines.join('\n')}\n${further}${await (await this.#defaults)()}`
  }
}

const VERBS: Record<string, string> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
}

/** Paths that are counted by themselves; there is no end of others. */
const ROOTS: Record<string, string> = {
  healthz: '/healthz',
  livez: '/livez',
  readyz: '/readyz',
  metrics: '/metrics',
  version: 'version',
  api: 'api',
  apis: 'apis',
  openapi: 'openapi',
}

const isKnown = ({ subresources }: Resource, { subresource, verb }: RequestInfo): boolean =>
  verb in VERBS && (!subresource || subresources.some(({ name }) => name === subresource))

const rootOf = (path: string): string => ROOTS[path.split('/', 2)[1]!] ?? ''

function keyOf({ query, request }: Context, info: RequestInfo) {
  const { verb, group, version, resource, subresource, namespace, name } = info
  const where = `${namespace ? ' n' : ''}${name ? ' r' : ''}`
  const dry = query.has('dryRun') ? ' d' : ''
  const apply = verb === 'patch' && request.headers['content-type']?.startsWith(APPLY) ? ' a' : ''
  return `${verb} ${group}/${version}/${resource}/${subresource}${where}${dry}${apply}`
}

const APPLY = 'application/apply-patch'

function newSeries(context: Context): Series {
  const { info, resource, query, request } = context
  const { verb, group, version, subresource, namespace, name } = info
  const scope = !resource ? '' : name || verb === 'create' ? 'resource' : namespace ? 'namespace' : 'cluster'
  const applies = verb === 'patch' && request.headers['content-type']?.startsWith(APPLY)
  const method = resource ? (VERBS[verb] ?? 'other') : (METHODS[verb] ?? 'other')
  const place = resource
    ? { group, resource: resource.resource, subresource, version }
    : { group: '', resource: '', subresource: rootOf(info.path), version: '' }
  const component = resource || /^api/.test(place.subresource) ? 'apiserver' : ''
  const labels = (more: string) =>
    `component="${component}",${more}group="${place.group}",resource="${place.resource}",scope="${scope}",subresource="${place.subresource}",verb="${applies ? 'APPLY' : method}",version="${place.version}"`
  return {
    labels: labels(`dry_run="${resource && query.has('dryRun') ? 'All' : ''}",`),
    gaugeLabels: labels(''),
    codes: new Map(),
    duration: new Histogram(SECONDS),
    ...(method === 'GET' || method === 'LIST' ? { sizes: new Histogram(ANSWER_BYTES) } : {}),
    running: 0,
    longRunning: false,
  }
}

const METHODS: Record<string, string> = { get: 'GET', post: 'POST', put: 'PUT', patch: 'PATCH', delete: 'DELETE' }

const about = (name: string, type: string, help: string) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]

/** How many objects there are of each built-in resource. */
export const storedObjects = (store: Store, prefixOf: (resource: Resource) => string): Further => ({
  async text() {
    const kept = allResources.filter(({ verbs }) => verbs.includes('list') && verbs.includes('create'))
    const lines: string[] = []
    for (const [name, labels] of [
      ['apiserver_resource_objects', (group: string, plural: string) => `group="${group}",resource="${plural}"`],
      [
        'apiserver_storage_objects',
        (group: string, plural: string) => `resource="${group ? `${plural}.${group}` : plural}"`,
      ],
    ] as const) {
      lines.push(...about(name, 'gauge', 'Objects that are stored, by resource.'))
      const seen = new Set<string>()
      for (const resource of kept) {
        const prefix = prefixOf(resource)
        if (seen.has(prefix)) continue
        seen.add(prefix)
        lines.push(`${name}{${labels(resource.group, resource.resource)}} ${await store.count(prefix)}`)
      }
    }
    return `${lines.join('\n')}\n`
  },
})

async function processMetrics(): Promise<() => Promise<string>> {
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const register = new Registry()
  collectDefaultMetrics({ register })
  return () => register.metrics()
}
