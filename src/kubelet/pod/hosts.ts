import { readFile, writeFile } from 'node:fs/promises'
import type { core } from '../../api/index.ts'
import { fqdnOf, hostnameOf } from './spec.ts'

/** Writes the /etc/hosts that all containers of the pod share, as upstream words it. */
export async function writeHosts(path: string, pod: core.Pod, ips: string[], clusterDomain: string): Promise<void> {
  const base = pod.spec.hostNetwork
    ? `# Kubernetes-managed hosts file (host network).\n${await readFile('/etc/hosts', 'utf8').catch(() => '')}`
    : ownHosts(pod, ips, clusterDomain)
  await writeFile(path, base + aliases(pod.spec.hostAliases ?? []), { mode: 0o644 })
}

export function ownHosts(pod: core.Pod, ips: string[], clusterDomain: string): string {
  const names = [fqdnOf(pod, clusterDomain), hostnameOf(pod)].filter(name => name !== undefined)
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...ips.map(ip => [ip, ...names].join('\t')),
  ]
  return `${lines.join('\n')}\n`
}

function aliases(entries: core.HostAlias[]): string {
  if (entries.length === 0) return ''
  const lines = entries.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join('\t'))
  return `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`
}
