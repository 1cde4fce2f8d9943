import { type core, isSidecar } from '../api/index.ts'
import { type Amounts, add, amounts, podRequests, scoredRequests, subtract } from './amounts.ts'

/** A pod on a node, with what is asked of it again and again. */
export interface PodInfo {
  pod: core.Pod
  requests: Amounts
  scored: Amounts
  ports: HostPort[]
}

export interface HostPort {
  ip: string
  protocol: string
  port: number
}

const ANY_ADDRESS = '0.0.0.0'

export const podInfo = (pod: core.Pod): PodInfo => ({
  pod,
  requests: podRequests(pod),
  scored: scoredRequests(pod),
  ports: hostPorts(pod),
})

export function hostPorts({ spec }: core.Pod): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(isSidecar)
  return [...spec.containers, ...sidecars].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort }) => hostPort)
      .map(({ hostIP, protocol, hostPort }) => ({
        ip: hostIP || ANY_ADDRESS,
        protocol: protocol ?? 'TCP',
        port: hostPort!,
      })),
  )
}

/** One node with the pods on it and the sums over them, kept up to date pod by pod. */
export class NodeInfo {
  /** Unset while pods are known to be on a node that is not (yet, or any more) known itself. */
  node: core.Node | undefined
  readonly pods = new Map<string, PodInfo>()
  /** What the pods request. */
  readonly requested: Amounts = {}
  /** What the pods count for when nodes are scored: cpu and memory. */
  readonly scored: Amounts = { cpu: 0, memory: 0 }
  allocatable: Amounts = {}
  /** Image name to size in bytes. */
  images = new Map<string, number>()

  setNode(node: core.Node | undefined): void {
    this.node = node
    this.allocatable = amounts(node?.status.allocatable)
    this.images = new Map()
    for (const { names, sizeBytes = 0 } of node?.status.images ?? [])
      for (const name of names ?? []) this.images.set(name, Number(sizeBytes))
  }

  addPod(info: PodInfo): void {
    this.removePod(info.pod.metadata.uid)
    this.pods.set(info.pod.metadata.uid, info)
    add(this.requested, info.requests)
    add(this.scored, info.scored)
  }

  removePod(uid: string): boolean {
    const info = this.pods.get(uid)
    if (!info) return false
    this.pods.delete(uid)
    subtract(this.requested, info.requests)
    subtract(this.scored, info.scored)
    return true
  }

  /** Whether a pod that wants `port` would clash with one that is here. */
  hasPort(port: HostPort): boolean {
    for (const { ports } of this.pods.values()) if (ports.some(taken => clash(taken, port))) return true
    return false
  }
}

const clash = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY_ADDRESS || b.ip === ANY_ADDRESS)
