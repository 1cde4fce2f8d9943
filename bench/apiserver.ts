/**
 * The API server against bare Node HTTPS servers: GET of a pod and LIST of 10,000 against one that sends the same bytes,
 * durable creates against one that puts each body into LMDB. Each server is a process of its own; this one makes the load.
 */
import { against, type Figure } from './support/figures.ts'
import { getRequest, postRequest, rateOf, sendAll } from './support/load.ts'
import { main, progress } from './support/main.ts'
import { fetchOnce, type Server, startServer } from './support/server.ts'

const WARM_UP = 2
const ROUNDS = 9
/** Of load, in milliseconds: short enough that a busy moment of the machine befalls both sides of a ratio. */
const ROUND = 1_500
const PODS = 10_000
const READERS = 32
const WRITERS = 64
const NAMESPACE = '/api/v1/namespaces/default'

async function measure(stack: AsyncDisposableStack): Promise<Figure[]> {
  return [await measureGet(stack), await measureList(stack), ...(await measureCreate(stack))]
}

async function startApi(stack: AsyncDisposableStack): Promise<Server> {
  const api = await startServer({ kind: 'apiserver' }, stack)
  // Pods need their namespace's account, which the controllers would have made.
  await fetchOnce(api, 'POST', `${NAMESPACE}/serviceaccounts`, JSON.stringify({ metadata: { name: 'default' } }))
  return api
}

const startBytes = (bytes: Buffer, stack: AsyncDisposableStack) =>
  startServer({ kind: 'bytes', base64: bytes.toString('base64') }, stack)

async function measureGet(outer: AsyncDisposableStack): Promise<Figure> {
  await using stack = outer.use(new AsyncDisposableStack())
  const api = await startApi(stack)
  await fetchOnce(api, 'POST', `${NAMESPACE}/pods`, pod('web'))
  const path = `${NAMESPACE}/pods/web`
  const bare = await startBytes(await fetchOnce(api, 'GET', path), stack)
  const rate = (server: Server) => rateOf(server, READERS, () => getRequest(path), ROUND)
  const [limits, rates] = await inTurn('GET', bare, api, rate)
  const figure = against('the same bytes', rates, limits)
  return { name: `GET of a pod, ${READERS} clients`, unit: '/s', ...figure, target: { of: 'ratio', least: 0.5 } }
}

async function measureList(outer: AsyncDisposableStack): Promise<Figure> {
  await using stack = outer.use(new AsyncDisposableStack())
  const api = await startApi(stack)
  const pods = Array.from({ length: PODS }, (_, index) => postRequest(`${NAMESPACE}/pods`, pod(`web-${index}`)))
  await sendAll(api, WRITERS, pods)
  const bare = await startBytes(await fetchOnce(api, 'GET', `${NAMESPACE}/pods`), stack)
  const time = async (server: Server) => {
    const began = performance.now()
    await fetchOnce(server, 'GET', `${NAMESPACE}/pods`)
    return performance.now() - began
  }
  const [limits, times] = await inTurn('LIST', bare, api, time)
  const figure = against('the same bytes', times, limits)
  return { name: 'LIST of 10,000 pods', unit: 'ms', ...figure, target: { of: 'ratio', most: 1.5 } }
}

async function measureCreate(outer: AsyncDisposableStack): Promise<Figure[]> {
  await using stack = outer.use(new AsyncDisposableStack())
  const api = await startApi(stack)
  const bare = await startServer({ kind: 'lmdb' }, stack)
  let count = 0
  const kinds: [string, string, (name: string) => string][] = [
    ['ConfigMaps', 'configmaps', name => JSON.stringify({ metadata: { name }, data: { key: 'value' } })],
    ['pods', 'pods', pod],
  ]
  const figures: Figure[] = []
  for (const [what, resource, body] of kinds) {
    const post = () => postRequest(`${NAMESPACE}/${resource}`, body(`web-${count++}`))
    const [limits, rates] = await inTurn(what, bare, api, server => rateOf(server, WRITERS, post, ROUND))
    const figure = against('put into LMDB', rates, limits)
    const target = { of: 'value', least: 4_000 } as const
    figures.push({ name: `create of ${what}, ${WRITERS} clients, durable`, unit: '/s', ...figure, target })
  }
  return figures
}

/** The first rounds warm up and do not count. */
async function inTurn(
  what: string,
  bare: Server,
  api: Server,
  work: (server: Server) => Promise<number>,
): Promise<[number[], number[]]> {
  const limits: number[] = []
  const values: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const [limit, value] = [await work(bare), await work(api)]
    progress(`${what}: bare ${limit.toFixed(0)}, API server ${value.toFixed(0)}`)
    if (round < WARM_UP) continue
    limits.push(limit)
    values.push(value)
  }
  return [limits, values]
}

const pod = (name: string) =>
  JSON.stringify({
    metadata: { name, labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9' } },
    spec: { containers: [{ name: 'web', image: 'k8ts.local/demo:latest', ports: [{ containerPort: 8080 }] }] },
  })

if (import.meta.main) await main(measure)
