/**
 * Puts the parts together: a cluster on this machine, its processes, and a control plane inside one's own program.
 * Each function loads what it needs when it is called, so that a process holds no more than its own component.
 */
import type { DownOptions } from './down.ts'
import type { ClusterRef } from './images.ts'
import type { ApiServerFlags } from './run/apiserver.ts'
import type { ControlLoopsFlags } from './run/control-loops.ts'
import type { ControllerManagerFlags } from './run/controller-manager.ts'
import type { EtcdFlags } from './run/etcd.ts'
import type { KubeletFlags } from './run/kubelet.ts'
import type { DnsFlags, NetworkFlags, NodeServicesFlags, ProxyFlags } from './run/node-services.ts'
import type { SchedulerFlags } from './run/scheduler.ts'
import type { ClusterOptions } from './start.ts'
import type { SuperviseOptions } from './supervise.ts'
import type { UpOptions } from './up.ts'

export type { ListedImage } from './images.ts'
export { userKubeconfig } from './kubeconfig.ts'
export type { Cluster } from './start.ts'
export type { ClusterStatus, ComponentStatus } from './status.ts'
export type { UpResult } from './up.ts'
export type {
  ApiServerFlags,
  ClusterOptions,
  ClusterRef,
  ControlLoopsFlags,
  ControllerManagerFlags,
  DnsFlags,
  DownOptions,
  EtcdFlags,
  KubeletFlags,
  NetworkFlags,
  NodeServicesFlags,
  ProxyFlags,
  SchedulerFlags,
  SuperviseOptions,
  UpOptions,
}

export const startCluster = async (options?: ClusterOptions) => (await import('./start.ts')).startCluster(options)

export const up = async (options: UpOptions) => (await import('./up.ts')).up(options)
export const down = async (options: DownOptions) => (await import('./down.ts')).down(options)
export const status = async (name: string, dataDir?: string) => (await import('./status.ts')).status(name, dataDir)
export const supervise = async (options: SuperviseOptions) => (await import('./supervise.ts')).supervise(options)
export const importImages = async (cluster: ClusterRef, file: string) =>
  (await import('./images.ts')).importImages(cluster, file)
export const listImages = async (cluster: ClusterRef) => (await import('./images.ts')).listImages(cluster)

export const envtest = async (directory: string, tools?: string) => {
  const { writeEnvtest } = await import('./envtest.ts')
  return writeEnvtest(directory, [process.execPath, process.argv[1] ?? ''], tools)
}
export const runEtcd = async (flags: EtcdFlags) => (await import('./run/etcd.ts')).runEtcd(flags)
/** Which Kubernetes this is, as kube-apiserver says it. */
export const versionText = async (whole: boolean) => (await import('./run/version.ts')).versionText(whole)
export const runApiServer = async (flags: ApiServerFlags) => (await import('./run/apiserver.ts')).runApiServer(flags)
export const runControllerManager = async (flags: ControllerManagerFlags) =>
  (await import('./run/controller-manager.ts')).runControllerManager(flags)
export const runScheduler = async (flags: SchedulerFlags) => (await import('./run/scheduler.ts')).runScheduler(flags)
export const runControlLoops = async (flags: ControlLoopsFlags) =>
  (await import('./run/control-loops.ts')).runControlLoops(flags)
export const runKubelet = async (flags: KubeletFlags) => (await import('./run/kubelet.ts')).runKubelet(flags)
export const runProxy = async (flags: ProxyFlags) => (await import('./run/node-services.ts')).runProxy(flags)
export const runNetwork = async (flags: NetworkFlags) => (await import('./run/node-services.ts')).runNetwork(flags)
export const runDns = async (flags: DnsFlags) => (await import('./run/node-services.ts')).runDns(flags)
export const runNodeServices = async (flags: NodeServicesFlags) =>
  (await import('./run/node-services.ts')).runNodeServices(flags)
