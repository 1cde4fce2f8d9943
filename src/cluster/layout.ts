import { join, resolve } from 'node:path'

/** Where everything of one cluster lies. Only `run` is lost when the machine restarts. */
export interface Layout {
  data: string
  run: string
  settings: string
  pki: string
  kubeconfigs: string
  store: string
  logs: string
  kubelet: string
  containerd: string
  cni: string
  /** Which address is which pod's. */
  ipam: string
  /** What the supervisor says about its processes. */
  state: string
  /** containerd's gRPC socket. */
  socket: string
}

export const DATA_ROOT = '/var/lib/k8ts'
export const RUN_ROOT = '/run/k8ts'

export function layout(name: string, dataDirectory?: string): Layout {
  const data = dataDirectory ? resolve(dataDirectory) : join(DATA_ROOT, name)
  const run = join(RUN_ROOT, name)
  return {
    data,
    run,
    settings: join(data, 'cluster.json'),
    pki: join(data, 'pki'),
    kubeconfigs: join(data, 'kubeconfig'),
    store: join(data, 'store'),
    logs: join(data, 'logs'),
    kubelet: join(data, 'kubelet'),
    containerd: join(data, 'containerd'),
    cni: join(data, 'cni'),
    ipam: join(data, 'ipam'),
    state: join(run, 'state.json'),
    socket: join(run, 'containerd', 'containerd.sock'),
  }
}
