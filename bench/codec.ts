/** What the API server spends on the bytes of a pod of about 2 KB, against JSON alone. */
import { resources } from '../src/api/index.ts'
import { codecFor, parseJson } from '../src/encoding/index.ts'
import { type Figure, median } from './support/figures.ts'
import { main } from './support/main.ts'

const container = {
  name: 'web',
  image: 'registry.k8s.io/web:1.2.3',
  ports: [{ name: 'http', containerPort: 8080 }],
  env: [
    { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    { name: 'MODE', value: 'production' },
    { name: 'UPSTREAM', value: 'http://backend.default.svc.cluster.local:8080/path?x=1' },
  ],
  resources: { requests: { cpu: '0.25', memory: '128Mi' }, limits: { cpu: '1000m', memory: '256Mi' } },
  volumeMounts: [
    { name: 'kube-api-access-x7k2p', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
  ],
  livenessProbe: { httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' }, periodSeconds: 10 },
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
}

const pod = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: {
    name: 'web-5d4f8c7b9-x7k2p',
    generateName: 'web-5d4f8c7b9-',
    namespace: 'default',
    uid: '0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9',
    creationTimestamp: '2026-01-02T03:04:05Z',
    labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9', tier: 'front' },
    annotations: { 'example.com/checksum': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web-5d4f8c7b9',
        uid: '1f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: {
    volumes: [
      {
        name: 'kube-api-access-x7k2p',
        projected: {
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          ],
          defaultMode: 420,
        },
      },
    ],
    containers: [container],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'default',
    securityContext: {},
    schedulerName: 'default-scheduler',
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
  },
  status: { phase: 'Pending', qosClass: 'Burstable' },
}

/** Median of the microseconds that one call takes. */
function microseconds(run: () => unknown): number {
  const rounds: number[] = []
  for (let round = 0; round < 60; round++) {
    const began = performance.now()
    for (let call = 0; call < 500; call++) run()
    rounds.push(((performance.now() - began) * 1000) / 500)
  }
  return median(rounds)
}

async function measure(): Promise<Figure[]> {
  const bytes = Buffer.from(JSON.stringify(pod))
  const codec = codecFor(resources.pods)
  const { object } = codec.decode(pod)
  codec.default(object)
  const works: [name: string, work: () => unknown, limit?: string][] = [
    ['JSON.parse', () => JSON.parse(bytes.toString())],
    ['JSON.stringify', () => Buffer.from(JSON.stringify(object))],
    ['parse, with duplicates found', () => parseJson(bytes), 'JSON.parse'],
    ['decode', () => codec.decode(pod)],
    ['default', () => codec.default(object)],
    ['structural validation', () => codec.structural(object)],
    ['encode', () => codec.encode(object), 'JSON.stringify'],
    ['parse, decode, default', () => codec.default(codec.decode(parseJson(bytes).value).object), 'JSON.parse'],
  ]
  const values = new Map(works.map(([name, work]) => [name, microseconds(work)]))
  return works.map(([name, , what]): Figure => {
    const value = values.get(name)!
    const limit = what && values.get(what)
    const bare = limit ? { what, value: limit, ratio: value / limit } : undefined
    return { name: `codec: ${name}`, value, unit: 'µs', bare }
  })
}

if (import.meta.main) await main(measure)
