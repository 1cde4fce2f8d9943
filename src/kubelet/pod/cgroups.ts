import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type core, quantity } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import { cpuQuota, cpuShares, limitsOf, podAmount, qosClassOf, requestsOf } from './resources.ts'

export interface CgroupOptions {
  cgroupRoot: string
  cpuCFSQuota: boolean
  /** Microseconds. */
  cpuPeriod: number
  podPidsLimit: number
  /** For all pods together. */
  allocatable: Record<string, string>
  clock: Clock
}

/** Limits of one cgroup; what is left out is not touched. */
interface Limits {
  shares?: number
  /** Microseconds in each period; 0 for none. */
  quota?: number
  memory?: number
  pids?: number
}

const MOUNT = '/sys/fs/cgroup'

/**
 * The tree `kubepods` / quality of service / pod, in which the runtime puts containers.
 * Source: https://kubernetes.io/docs/concepts/architecture/cgroups/
 */
export class Cgroups {
  readonly #options: CgroupOptions
  readonly #files: Hierarchy
  readonly #burstable = new Map<string, number>()

  constructor(options: CgroupOptions) {
    this.#options = options
    this.#files = existsSync(join(MOUNT, 'cgroup.controllers')) ? unified : legacy
  }

  pathOf(pod: core.Pod): string {
    const qos = qosClassOf(pod)
    const parent = qos === 'Guaranteed' ? '' : `/${qos.toLowerCase()}`
    return `${this.#top}${parent}/pod${pod.metadata.uid}`
  }

  /** Makes the top of the tree. */
  async start(): Promise<void> {
    const { cpu, memory } = this.#options.allocatable
    await this.#write(this.#top, {
      shares: cpuShares(quantity.milliValue(cpu ?? '0')),
      memory: memory ? quantity.value(memory) : undefined,
    })
    await this.#write(`${this.#top}/besteffort`, { shares: 2 })
    await this.#write(`${this.#top}/burstable`, { shares: 2 })
  }

  async ensure(pod: core.Pod): Promise<string> {
    const path = this.pathOf(pod)
    const requests = podAmount(pod, 'cpu', container => ({ ...limitsOf(container), ...requestsOf(container) }))
    const limits = podAmount(pod, 'cpu', limitsOf)
    const memory = podAmount(pod, 'memory', limitsOf)
    const { cpuCFSQuota, cpuPeriod, podPidsLimit } = this.#options
    await this.#write(path, {
      shares: cpuShares(requests.total),
      quota: cpuCFSQuota && !limits.open ? cpuQuota(limits.total, cpuPeriod) : undefined,
      memory: memory.open ? undefined : memory.total,
      pids: podPidsLimit > 0 ? podPidsLimit : undefined,
    })
    if (qosClassOf(pod) === 'Burstable' && this.#burstable.get(pod.metadata.uid) !== requests.total) {
      this.#burstable.set(pod.metadata.uid, requests.total)
      await this.#shareBurstable()
    }
    return path
  }

  /** Ends whatever still runs in it: a runtime that died while it made a container does not know of it afterwards. */
  async remove(uid: string): Promise<void> {
    const roots = ['', '/besteffort', '/burstable'].map(qos => `${this.#top}${qos}/pod${uid}`)
    for (const path of roots) {
      for (const folder of this.#files.folders(path)) await this.#removeTree(folder)
    }
    if (this.#burstable.delete(uid)) await this.#shareBurstable()
  }

  /** The uids of pods that have a cgroup. */
  async pods(): Promise<string[]> {
    const found = new Set<string>()
    for (const qos of ['', '/besteffort', '/burstable'])
      for (const folder of this.#files.folders(`${this.#top}${qos}`))
        for (const name of await readdir(folder).catch(() => [])) if (/^pod./.test(name)) found.add(name.slice(3))
    return [...found]
  }

  get #top(): string {
    return join('/', this.#options.cgroupRoot, 'kubepods')
  }

  async #shareBurstable(): Promise<void> {
    let total = 0
    for (const requests of this.#burstable.values()) total += requests
    await this.#write(`${this.#top}/burstable`, { shares: cpuShares(total) })
  }

  async #write(path: string, limits: Limits): Promise<void> {
    await this.#files.create(path)
    await this.#files.limit(path, limits, this.#options.cpuPeriod)
  }

  async #removeTree(folder: string): Promise<void> {
    if (!existsSync(folder)) return
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => []))
      if (entry.isDirectory()) await this.#removeTree(join(folder, entry.name))
    for (let attempt = 0; ; attempt++) {
      const error = await rmdir(folder).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error,
      )
      if (!error || error.code === 'ENOENT') return
      if (attempt === 20) throw error
      await killProcesses(folder)
      // The kernel may take a moment to see that they have ended.
      await this.#options.clock.sleep(10 * (attempt + 1))
    }
  }
}

async function killProcesses(folder: string): Promise<void> {
  const processes = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '')
  for (const pid of processes.split('\n').map(Number)) {
    try {
      if (pid > 0) process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** How the kernel's two layouts differ. */
interface Hierarchy {
  folders(path: string): string[]
  create(path: string): Promise<void>
  limit(path: string, limits: Limits, period: number): Promise<void>
}

const set = (folder: string, file: string, value: string | number) => writeFile(join(folder, file), String(value))

const CONTROLLERS = [
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'pids',
  'blkio',
  'devices',
  'freezer',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'systemd',
  'cpu,cpuacct',
  'net_cls,net_prio',
  'unified',
  'misc',
  'rdma',
]

/** cgroup v1: one tree for each controller. */
const legacy: Hierarchy = {
  folders: path => CONTROLLERS.map(controller => join(MOUNT, controller, path)).filter(folder => existsSync(folder)),
  async create(path) {
    for (const controller of ['cpu', 'memory', 'pids']) await mkdir(join(MOUNT, controller, path), { recursive: true })
  },
  async limit(path, { shares, quota, memory, pids }, period) {
    const cpu = join(MOUNT, 'cpu', path)
    if (shares !== undefined) await set(cpu, 'cpu.shares', shares)
    if (quota) {
      await set(cpu, 'cpu.cfs_period_us', period)
      await set(cpu, 'cpu.cfs_quota_us', quota)
    }
    if (memory) await set(join(MOUNT, 'memory', path), 'memory.limit_in_bytes', memory)
    if (pids) await set(join(MOUNT, 'pids', path), 'pids.max', pids)
  },
}

/** cgroup v2: one tree, in which each level hands controllers down. */
const unified: Hierarchy = {
  folders: path => [join(MOUNT, path)].filter(folder => existsSync(folder)),
  async create(path) {
    let folder = MOUNT
    for (const part of path.split('/').filter(Boolean)) {
      await handDown(folder)
      folder = join(folder, part)
      await mkdir(folder, { recursive: true })
    }
    await handDown(folder)
  },
  async limit(path, { shares, quota, memory, pids }, period) {
    const folder = join(MOUNT, path)
    if (shares !== undefined) await set(folder, 'cpu.weight', 1 + Math.floor(((shares - 2) * 9999) / 262_142))
    if (quota) await set(folder, 'cpu.max', `${quota} ${period}`)
    if (memory) await set(folder, 'memory.max', memory)
    if (pids) await set(folder, 'pids.max', pids)
  },
}

async function handDown(folder: string): Promise<void> {
  const wanted = ['cpu', 'cpuset', 'io', 'memory', 'pids', 'hugetlb']
  const offered = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ')
  const given = (await readFile(join(folder, 'cgroup.subtree_control'), 'utf8')).trim().split(' ')
  const missing = wanted.filter(name => offered.includes(name) && !given.includes(name))
  if (missing.length > 0) await set(folder, 'cgroup.subtree_control', missing.map(name => `+${name}`).join(' '))
}
