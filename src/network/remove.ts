import { join } from 'node:path'
import { runCommand } from '../base/index.ts'
import { disallowForwarding } from './forward.ts'
import { removeHostPortChains } from './host-ports.ts'
import { removeFile } from './machine.ts'
import { conflistPath } from './network.ts'
import { applyRoutes } from './routes.ts'

export interface RemoveOptions {
  cniConfDir: string
  dataDir: string
  bridge: string
  table: string
  /** Whose routes go; without it, when nobody knows it any more, they stay. */
  clusterCidr?: string
}

/**
 * Takes away all that `startNetwork` and the CNI plugins made on this machine for one cluster: the bridge, the
 * nftables table, the routes, the configuration and host-local's leases. What is gone already is no error.
 * The sysctls stay, since others may rely on them by now.
 */
export async function removeNetwork(options: RemoveOptions): Promise<void> {
  const { bridge, table, clusterCidr, dataDir } = options
  await removeFile(conflistPath(options))
  if (clusterCidr) await applyRoutes(runCommand, clusterCidr, new Map())
  await runCommand('nft', ['-f', '-'], `add table ip ${table}\ndelete table ip ${table}\n`)
  await disallowForwarding(runCommand, table)
  await removeHostPortChains(runCommand)
  const links = JSON.parse((await runCommand('ip', ['-j', 'link', 'show', 'type', 'bridge'])) || '[]') as {
    ifname: string
  }[]
  if (links.some(({ ifname }) => ifname === bridge)) await runCommand('ip', ['link', 'delete', bridge])
  await removeFile(join(dataDir, bridge))
}
