import { readFile, statfs } from 'node:fs/promises'
import { availableParallelism, release, totalmem } from 'node:os'
import { quantity } from '../../api/index.ts'
import type { KubeletConfiguration } from '../config.ts'

/** What the node is, as the Node object shows it. */
export interface Machine {
  cpus: number
  memoryBytes: number
  diskBytes: number
  machineID: string
  systemUUID: string
  bootID: string
  kernelVersion: string
  osImage: string
  architecture: string
}

const ARCHITECTURES: Record<string, string> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64le',
  s390x: 's390x',
}

export async function readMachine(rootDir: string): Promise<Machine> {
  const text = async (path: string) => (await readFile(path, 'utf8').catch(() => '')).trim()
  const [disk, machineID, systemUUID, bootID, release_] = await Promise.all([
    statfs(rootDir),
    text('/etc/machine-id'),
    text('/sys/class/dmi/id/product_uuid'),
    text('/proc/sys/kernel/random/boot_id'),
    text('/etc/os-release'),
  ])
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    diskBytes: disk.blocks * disk.bsize,
    machineID,
    systemUUID: systemUUID || machineID,
    bootID,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?(.*?)"?$/m.exec(release_)?.[1] ?? 'Linux',
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
  }
}

type Amounts = Record<string, string>

const kibi = (bytes: number) => `${Math.floor(bytes / 1024)}Ki`

export const capacityOf = (machine: Machine, { maxPods }: KubeletConfiguration): Amounts => ({
  cpu: String(machine.cpus),
  'ephemeral-storage': kibi(machine.diskBytes),
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
  memory: kibi(machine.memoryBytes),
  pods: String(maxPods),
})

/** What is left for pods. Source: https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/ */
export function allocatableOf(capacity: Amounts, config: KubeletConfiguration): Amounts {
  const thresholds: Amounts = {
    memory: config.evictionHard['memory.available'] ?? '0',
    'ephemeral-storage': config.evictionHard['nodefs.available'] ?? '0',
  }
  const entries = Object.entries(capacity).map(([name, amount]) => {
    const reserved = [config.systemReserved[name], config.kubeReserved[name]].filter(value => value !== undefined)
    if (name === 'cpu') {
      const taken = reserved.reduce((sum, value) => sum + quantity.milliValue(value), 0)
      return [name, taken > 0 ? `${quantity.milliValue(amount) - taken}m` : amount]
    }
    const total = quantity.value(amount)
    const taken = reserved.reduce((sum, value) => sum + quantity.value(value), 0) + part(thresholds[name] ?? '0', total)
    if (taken === 0) return [name, amount]
    return [name, name === 'memory' ? kibi(total - taken) : String(total - taken)]
  })
  return Object.fromEntries(entries)
}

/** `100Mi`, or `10%` of the whole. */
const part = (amount: string, whole: number): number =>
  amount.endsWith('%') ? Math.floor((whole * Number(amount.slice(0, -1))) / 100) : quantity.value(amount)
