/**
 * Server-side apply against plain creates of the same pods, on one API server in turn: applies that make a pod, applies
 * that change nothing, and applies that change a ConfigMap.
 */
import { against, type Figure } from './support/figures.ts'
import { postRequest, rateOf } from './support/load.ts'
import { main, progress } from './support/main.ts'
import { fetchOnce, startServer } from './support/server.ts'

const WARM_UP = 2
const ROUNDS = 9
/** Of load, in milliseconds. */
const ROUND = 600
const WRITERS = 64
/** How many objects are applied again and again. */
const KEPT = 500
const NAMESPACE = '/api/v1/namespaces/default'

let count = 0

const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9' } },
  spec: { containers: [{ name: 'web', image: 'k8ts.local/demo:latest', ports: [{ containerPort: 8080 }] }] },
})

const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: `${count++}` } })

function applyRequest(resource: string, object: { metadata: { name: string } }): string {
  const body = JSON.stringify(object)
  const path = `${NAMESPACE}/${resource}/${object.metadata.name}?fieldManager=bench`
  return `PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/apply-patch+yaml\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

const createPod = () => postRequest(`${NAMESPACE}/pods`, JSON.stringify(pod(`web-${count++}`)))

const applies: [name: string, request: () => string][] = [
  ['that makes a pod', () => applyRequest('pods', pod(`web-${count++}`))],
  ['that changes nothing of a pod', () => applyRequest('pods', pod(`kept-${count++ % KEPT}`))],
  ['that changes a ConfigMap', () => applyRequest('configmaps', map(`kept-${count % KEPT}`))],
]

async function measure(stack: AsyncDisposableStack): Promise<Figure[]> {
  const api = await startServer({ kind: 'apiserver' }, stack)
  // Pods need their namespace's account, which the controllers would have made.
  await fetchOnce(api, 'POST', `${NAMESPACE}/serviceaccounts`, JSON.stringify({ metadata: { name: 'default' } }))
  const figures: Figure[] = []
  for (const [name, request] of applies) {
    const creates: number[] = []
    const rates: number[] = []
    for (let round = 0; round < WARM_UP + ROUNDS; round++) {
      const create = await rateOf(api, WRITERS, createPod, ROUND)
      const rate = await rateOf(api, WRITERS, request, ROUND)
      progress(`create ${create.toFixed(0)}, apply ${name} ${rate.toFixed(0)}`)
      if (round < WARM_UP) continue
      creates.push(create)
      rates.push(rate)
    }
    const figure = against('create of a pod', rates, creates)
    figures.push({ name: `apply ${name}`, unit: '/s', ...figure, target: { of: 'ratio', least: 0.5 } })
  }
  return figures
}

if (import.meta.main) await main(measure)
