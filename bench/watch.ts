/**
 * 1,000 watchers of one resource while 16 clients create pods: events delivered per second, against a Node HTTPS server that
 * writes the same bytes to as many open answers. Each server is a process of its own; this one makes the load and watches.
 */
import { against, type Figure } from './support/figures.ts'
import { postRequest, sendAll } from './support/load.ts'
import { main, progress } from './support/main.ts'
import { fetchOnce, type Server, startServer } from './support/server.ts'
import { Watchers } from './support/watchers.ts'

const WARM_UP = 2
const ROUNDS = 9
/** Per round; each becomes an event for every watcher. */
const CHANGES = 96
const WRITERS = 16
const WATCHERS = 1_000
const NAMESPACE = '/api/v1/namespaces/default'
const PODS = `${NAMESPACE}/pods`

/** A server that is watched, and what makes the next of its changes. */
interface Watched {
  server: Server
  watchers: Watchers
  request: () => string
}

async function watch(
  server: Server,
  path: string,
  request: () => string,
  stack: AsyncDisposableStack,
): Promise<Watched> {
  const watchers = await Watchers.open(WATCHERS, server, path)
  stack.defer(() => watchers.close())
  return { server, watchers, request }
}

async function measure(stack: AsyncDisposableStack): Promise<Figure[]> {
  const server = await startServer({ kind: 'apiserver' }, stack)
  // Pods need their namespace's account, which the controllers would have made.
  await fetchOnce(server, 'POST', `${NAMESPACE}/serviceaccounts`, JSON.stringify({ metadata: { name: 'default' } }))
  const object = (await fetchOnce(server, 'POST', PODS, pod('first'))).toString().trimEnd()
  let count = 0
  const api = await watch(
    server,
    `${PODS}?watch=true&resourceVersion=${JSON.parse(object).metadata.resourceVersion}`,
    () => postRequest(PODS, pod(`web-${count++}`)),
    stack,
  )
  const event = postRequest('/', `{"type":"ADDED","object":${object}}\n`)
  const bare = await watch(await startServer({ kind: 'broadcast' }, stack), '/', () => event, stack)
  const limits: number[] = []
  const rates: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const [limit, rate] = [await eventsPerSecond(bare), await eventsPerSecond(api)]
    progress(`events: bare ${limit.toFixed(0)}, API server ${rate.toFixed(0)}`)
    if (round < WARM_UP) continue
    limits.push(limit)
    rates.push(rate)
  }
  const figure = against('the same bytes', rates, limits)
  const name = `events delivered to ${WATCHERS.toLocaleString('en')} watchers`
  return [{ name, unit: '/s', ...figure, target: { of: 'ratio', least: 0.5 } }]
}

/** From the first change until the last watcher has the last event. */
async function eventsPerSecond({ server, watchers, request }: Watched): Promise<number> {
  const events = CHANGES * WATCHERS
  const requests = Array.from({ length: CHANGES }, request)
  const began = performance.now()
  await Promise.all([watchers.receive(events), sendAll(server, WRITERS, requests)])
  return (events * 1000) / (performance.now() - began)
}

const pod = (name: string) =>
  JSON.stringify({
    metadata: { name, labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9' } },
    spec: { containers: [{ name: 'web', image: 'k8ts.local/demo:latest', ports: [{ containerPort: 8080 }] }] },
  })

if (import.meta.main) await main(measure)
