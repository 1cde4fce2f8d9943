import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { removeNetwork } from '../network/index.ts'
import { removeProxy } from '../proxy/index.ts'
import { removeContext } from './kubeconfig.ts'
import type { Layout } from './layout.ts'
import { cgroupRoot, networkNames } from './programs.ts'
import type { Settings } from './settings.ts'

const CGROUPS = '/sys/fs/cgroup'

/** Leaves nothing of a stopped cluster on the machine. What is gone already is no error. */
export async function purge(name: string, paths: Layout, settings?: Settings): Promise<void> {
  // What carries the cluster's name is found without its settings, which somebody may have deleted with its data.
  const { bridge, networkTable, proxyTable } = networkNames(name)
  await removeProxy({ table: proxyTable })
  await removeNetwork({
    cniConfDir: paths.cni,
    dataDir: paths.ipam,
    bridge,
    table: networkTable,
    clusterCidr: settings?.podCidr,
  })
  if (settings) await removeContext(settings.kubeconfig, name)
  removeCgroups(name)
  if (settings) removeData(paths)
  rmSync(paths.run, { recursive: true, force: true })
}

/** Only what k8ts has put there: `--data-dir` may have named a directory that has other things in it. */
function removeData({ data, settings, ...paths }: Layout): void {
  for (const path of Object.values(paths)) {
    if (dirname(path) === data) rmSync(path, { recursive: true, force: true })
  }
  rmSync(settings, { force: true })
  if (existsSync(data) && readdirSync(data).length === 0) rmdirSync(data)
}

/** With cgroup v1 each controller has its own tree; with v2 there is one. */
function removeCgroups(name: string): void {
  const controllers = readdirSync(CGROUPS, { withFileTypes: true }).filter(entry => entry.isDirectory())
  for (const base of [CGROUPS, ...controllers.map(entry => join(CGROUPS, entry.name))]) {
    const own = join(base, cgroupRoot(name))
    if (existsSync(own)) removeTree(own)
    // Shared with other clusters: goes with the last one.
    const parent = join(own, '..')
    if (existsSync(parent) && subdirectories(parent).length === 0) rmdirSync(parent)
  }
}

function removeTree(directory: string): void {
  for (const child of subdirectories(directory)) removeTree(join(directory, child))
  rmdirSync(directory)
}

const subdirectories = (path: string) =>
  readdirSync(path, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
