import type { Context } from './pipeline/context.ts'

/** Upper bounds in seconds. Source: k8s.io/apiserver/pkg/endpoints/metrics requestLatencies */
const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

interface Series {
  labels: string
  codes: Map<number, number>
  /** One more than there are bounds: the last is for everything above them. */
  buckets: number[]
  seconds: number
}

/**
 * Counts requests as kube-apiserver names and labels them. The bookkeeping is by hand, since it is on every request's
 * path; Node's own figures are prom-client's, which is loaded when they are first asked for.
 * Source: https://kubernetes.io/docs/reference/instrumentation/metrics/
 */
export class RequestMetrics {
  readonly #series = new Map<string, Series>()
  #readOnly = 0
  #mutating = 0
  #defaults: Promise<() => Promise<string>> | undefined

  begin(mutating: boolean): void {
    if (mutating) this.#mutating++
    else this.#readOnly++
  }

  end(mutating: boolean): void {
    if (mutating) this.#mutating--
    else this.#readOnly--
  }

  observe({ info, query }: Context, code: number, seconds: number): void {
    const { verb, group, version, resource, subresource, namespace, name, isResourceRequest } = info
    const key = isResourceRequest
      ? `${verb} ${group}/${version}/${resource}/${subresource}${namespace ? ' n' : ''}${name ? ' r' : ''}`
      : verb
    let series = this.#series.get(key)
    if (!series) {
      const scope = !isResourceRequest
        ? ''
        : name || verb === 'create'
          ? 'resource'
          : namespace
            ? 'namespace'
            : 'cluster'
      const dryRun = query.get('dryRun') ?? ''
      const labels = `dry_run="${dryRun}",group="${group}",resource="${resource}",scope="${scope}",subresource="${subresource}",verb="${VERBS[verb] ?? 'OTHER'}",version="${version}"`
      series = { labels, codes: new Map(), buckets: new Array(BUCKETS.length + 1).fill(0), seconds: 0 }
      this.#series.set(key, series)
    }
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    if (verb === 'watch') return
    const bucket = BUCKETS.findIndex(bound => seconds <= bound)
    series.buckets[bucket === -1 ? BUCKETS.length : bucket]!++
    series.seconds += seconds
  }

  /** The text format of Prometheus. */
  async text(): Promise<string> {
    const lines = [
      ...header(
        'apiserver_request_total',
        'counter',
        'Counter of apiserver requests by verb, resource, scope and HTTP code.',
      ),
      ...[...this.#series.values()].flatMap(({ labels, codes }) =>
        [...codes].map(([code, count]) => `apiserver_request_total{code="${code}",${labels}} ${count}`),
      ),
      ...header(
        'apiserver_request_duration_seconds',
        'histogram',
        'Response latency in seconds by verb, resource and scope.',
      ),
      ...[...this.#series.values()].flatMap(histogram),
      ...header('apiserver_current_inflight_requests', 'gauge', 'Requests being answered now, by kind.'),
      `apiserver_current_inflight_requests{request_kind="mutating"} ${this.#mutating}`,
      `apiserver_current_inflight_requests{request_kind="readOnly"} ${this.#readOnly}`,
    ]
    this.#defaults ??= processMetrics()
    return `${lines.join('\n')}\n${await (await this.#defaults)()}`
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

const header = (name: string, type: string, help: string) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]

function histogram({ labels, buckets, seconds }: Series): string[] {
  const name = 'apiserver_request_duration_seconds'
  let total = 0
  const lines = [...BUCKETS, '+Inf'].map((bound, index) => {
    total += buckets[index]!
    return `${name}_bucket{${labels},le="${bound}"} ${total}`
  })
  return [...lines, `${name}_sum{${labels}} ${seconds}`, `${name}_count{${labels}} ${total}`]
}

async function processMetrics(): Promise<() => Promise<string>> {
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const register = new Registry()
  collectDefaultMetrics({ register })
  return () => register.metrics()
}
