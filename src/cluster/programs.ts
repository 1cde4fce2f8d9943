import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Layout } from './layout.ts'
import { addressIn, type Settings } from './settings.ts'

/** One process under the supervisor. */
export interface Program {
  name: string
  /** What it runs: several components may share a process, to save memory. */
  components: ProgramComponent[]
  command: string[]
  /** The programs that must be ready before this one is started for the first time. */
  needs: string[]
  /** How it says that it is ready: a line on file descriptor 3, or a socket that takes connections. */
  ready: 'line' | { socket: string }
}

export interface ProgramComponent {
  name: string
  /** Where it serves, for people. */
  address: string
  /** Answers 200 while all is well. */
  healthUrl?: string
}

/** V8 trades speed for memory: a small young generation, and an old one that is collected early. */
const SMALL = ['--max-semi-space-size=1', '--optimize-for-size']

/**
 * The processes of a one-node cluster. `entry` is this program itself: Node, its flags and the script.
 * Ports, paths and identities appear here and in no other place.
 */
export function programs(settings: Settings, paths: Layout, entry: string[]): Program[] {
  const { ports, nodeName, nodeIp, name } = settings
  const pki = (file: string) => join(paths.pki, file)
  const kubeconfig = (file: string) => `--kubeconfig=${join(paths.kubeconfigs, `${file}.conf`)}`
  const [node = '', ...script] = entry
  const own = (flags: string[], ...args: string[]) => [node, ...flags, ...script, ...args]
  const local = (component: string, port: number): ProgramComponent => ({
    name: component,
    address: `http://127.0.0.1:${port}`,
    healthUrl: `http://127.0.0.1:${port}/healthz`,
  })
  return [
    {
      name: 'containerd',
      components: [{ name: 'containerd', address: `unix://${paths.socket}` }],
      command: ['containerd', '--config', join(paths.containerd, 'config.toml')],
      needs: [],
      ready: { socket: paths.socket },
    },
    {
      name: 'apiserver',
      components: [
        {
          name: 'apiserver',
          address: `https://${nodeIp}:${ports.api}`,
          healthUrl: `https://127.0.0.1:${ports.api}/readyz`,
        },
      ],
      command: own(
        ['--max-semi-space-size=4'],
        'apiserver',
        `--data-dir=${paths.store}`,
        `--secure-port=${ports.api}`,
        '--bind-address=0.0.0.0',
        `--advertise-address=${nodeIp}`,
        `--tls-cert-file=${pki('apiserver.crt')}`,
        `--tls-private-key-file=${pki('apiserver.key')}`,
        `--client-ca-file=${pki('ca.crt')}`,
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        `--service-account-key-file=${pki('sa.pub')}`,
        `--service-account-signing-key-file=${pki('sa.key')}`,
        `--service-account-issuer=https://kubernetes.default.svc.${settings.domain}`,
        `--service-cluster-ip-range=${settings.serviceCidr}`,
        `--kubelet-certificate-authority=${pki('ca.crt')}`,
        `--kubelet-client-certificate=${pki('apiserver-kubelet-client.crt')}`,
        `--kubelet-client-key=${pki('apiserver-kubelet-client.key')}`,
        `--proxy-client-cert-file=${pki('front-proxy-client.crt')}`,
        `--proxy-client-key-file=${pki('front-proxy-client.key')}`,
        `--requestheader-client-ca-file=${pki('front-proxy-ca.crt')}`,
        '--requestheader-allowed-names=front-proxy-client',
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      ),
      needs: [],
      ready: 'line',
    },
    {
      name: 'control-loops',
      components: [local('controller-manager', ports.controllerManager), local('scheduler', ports.scheduler)],
      command: own(
        SMALL,
        'control-loops',
        kubeconfig('controller-manager'),
        `--scheduler-kubeconfig=${join(paths.kubeconfigs, 'scheduler.conf')}`,
        `--cluster-cidr=${settings.podCidr}`,
        `--root-ca-file=${pki('ca.crt')}`,
        `--secure-port=${ports.controllerManager}`,
        `--scheduler-secure-port=${ports.scheduler}`,
      ),
      needs: ['apiserver'],
      ready: 'line',
    },
    {
      name: 'kubelet',
      components: [{ ...local('kubelet', ports.kubeletHealth), address: `https://${nodeIp}:${ports.kubelet}` }],
      command: own(
        SMALL,
        'kubelet',
        kubeconfig('kubelet'),
        `--config=${kubeletConfigFile(paths)}`,
        `--hostname-override=${nodeName}`,
        `--node-ip=${nodeIp}`,
        `--root-dir=${paths.kubelet}`,
        `--cni-conf-dir=${paths.cni}`,
      ),
      needs: ['apiserver', 'containerd'],
      ready: 'line',
    },
    {
      name: 'node-services',
      components: [
        { name: 'network', address: '-' },
        local('proxy', ports.proxyHealth),
        { name: 'dns', address: `${nodeIp}:${ports.dns}` },
      ],
      command: own(
        SMALL,
        'node-services',
        kubeconfig('proxy'),
        `--network-kubeconfig=${join(paths.kubeconfigs, 'network.conf')}`,
        `--dns-kubeconfig=${join(paths.kubeconfigs, 'dns.conf')}`,
        `--hostname-override=${nodeName}`,
        `--cluster-cidr=${settings.podCidr}`,
        `--cluster-name=${name}`,
        `--cni-conf-dir=${paths.cni}`,
        `--cni-data-dir=${paths.ipam}`,
        `--dns-address=${nodeIp}`,
        `--dns-port=${ports.dns}`,
        `--cluster-dns=${addressIn(settings.serviceCidr, 10)}`,
        `--cluster-domain=${settings.domain}`,
        `--healthz-bind-address=127.0.0.1:${ports.proxyHealth}`,
      ),
      needs: ['apiserver'],
      ready: 'line',
    },
  ]
}

/** What the machine's network knows the cluster by. */
export const networkNames = (cluster: string) => ({
  bridge: `cni-${shortName(cluster)}`,
  networkTable: `k8ts-${cluster}-network`,
  proxyTable: `k8ts-${cluster}-proxy`,
})

/** At most 11 characters, as many as a device's name has room for, and still no other cluster's. */
function shortName(cluster: string): string {
  if (cluster.length <= 11) return cluster
  return `${cluster.slice(0, 5)}-${createHash('sha256').update(cluster).digest('hex').slice(0, 5)}`
}

export const kubeletConfigFile = (paths: Layout) => join(paths.kubelet, 'config.yaml')
export const logFile = (paths: Layout, program: string) => join(paths.logs, `${program}.log`)

/** Source: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
export function kubeletConfig(settings: Settings, paths: Layout): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    port: settings.ports.kubelet,
    healthzPort: settings.ports.kubeletHealth,
    tlsCertFile: join(paths.pki, 'kubelet.crt'),
    tlsPrivateKeyFile: join(paths.pki, 'kubelet.key'),
    authentication: { anonymous: { enabled: false }, x509: { clientCAFile: join(paths.pki, 'ca.crt') } },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroupRoot(settings.name),
    clusterDNS: [addressIn(settings.serviceCidr, 10)],
    clusterDomain: settings.domain,
    containerRuntimeEndpoint: `unix://${paths.socket}`,
    podLogsDir: join(paths.logs, 'pods'),
  }
}

/** Under which all of the cluster's pods have their cgroups. */
export const cgroupRoot = (cluster: string) => `/k8ts/${cluster}`
