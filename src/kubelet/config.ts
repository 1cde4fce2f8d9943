/**
 * The fields of upstream's KubeletConfiguration that this kubelet reads; durations are Go durations.
 * Source: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
 */
export interface KubeletConfiguration {
  /** How often a pod that nothing happened to is looked at again. */
  syncFrequency: string
  nodeStatusUpdateFrequency: string
  nodeStatusReportFrequency: string
  nodeLeaseDurationSeconds: number
  maxPods: number
  podPidsLimit: number
  clusterDNS: string[]
  clusterDomain: string
  /** The file that a pod's DNS falls back to; empty for none. */
  resolvConf: string
  /** The cgroup below which `kubepods` is made. */
  cgroupRoot: string
  cpuCFSQuota: boolean
  cpuCFSQuotaPeriod: string
  serializeImagePulls: boolean
  maxParallelImagePulls: number
  containerLogMaxSize: string
  containerLogMaxFiles: number
  containerLogMonitorInterval: string
  podLogsDir: string
  /** Below which the node evicts; here only kept free of what pods may ask for. */
  evictionHard: Record<string, string>
  systemReserved: Record<string, string>
  kubeReserved: Record<string, string>
  nodeLabels: Record<string, string>
  registerNode: boolean
  seccompDefault: boolean
  /** Of the CRI socket: `unix:///run/containerd/containerd.sock`. */
  containerRuntimeEndpoint?: string
}

export const defaultConfiguration: KubeletConfiguration = {
  syncFrequency: '1m',
  nodeStatusUpdateFrequency: '10s',
  nodeStatusReportFrequency: '5m',
  nodeLeaseDurationSeconds: 40,
  maxPods: 110,
  podPidsLimit: -1,
  clusterDNS: [],
  clusterDomain: 'cluster.local',
  resolvConf: '/etc/resolv.conf',
  cgroupRoot: '/',
  cpuCFSQuota: true,
  cpuCFSQuotaPeriod: '100ms',
  serializeImagePulls: false,
  maxParallelImagePulls: 5,
  containerLogMaxSize: '10Mi',
  containerLogMaxFiles: 5,
  containerLogMonitorInterval: '10s',
  podLogsDir: '/var/log/pods',
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
  systemReserved: {},
  kubeReserved: {},
  nodeLabels: {},
  registerNode: true,
  seccompDefault: false,
}
