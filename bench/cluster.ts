/**
 * A whole cluster on this machine: how long `up` takes until the node is Ready, and what the cluster costs while nothing
 * happens: resident memory and CPU of all k8ts processes (containerd's are listed beside them).
 *
 *     node bench/cluster.ts
 */
import { readFileSync } from 'node:fs'
import { newCluster, type TestCluster } from '../test/support/cluster.ts'

interface Cost {
  name: string
  /** KiB. */
  resident: number
  /** Proportional: a page that several processes share is counted once, in parts. */
  proportional: number
  /** Clock ticks, a hundredth of a second each. */
  ticks: number
}

const ROUNDS = 3
const SETTLE = 15_000
const IDLE = 20_000
const TICKS_PER_SECOND = 100

const cluster = await newCluster()
try {
  await cluster.k8ts('up')
  const starts: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await cluster.k8ts('down')
    const started = performance.now()
    await cluster.k8ts('up')
    starts.push(performance.now() - started)
  }
  console.log(`up to node Ready: ${seconds(median(starts))} (median of ${ROUNDS}; target 3 s)`)
  await pause(SETTLE)
  const before = await costs(cluster)
  await pause(IDLE)
  const after = await costs(cluster)
  for (const { name, resident, proportional } of after) {
    console.log(`  ${name.padEnd(16)} ${megabytes(resident)} resident, ${megabytes(proportional)} proportional`)
  }
  const own = (all: Cost[]) => all.filter(({ name }) => name !== 'containerd')
  const total = (all: Cost[], field: 'resident' | 'proportional' | 'ticks') =>
    own(all).reduce((sum, cost) => sum + cost[field], 0)
  console.log(`resident, k8ts together: ${megabytes(total(after, 'resident'))} (target 400 MB)`)
  console.log(`proportional, k8ts together: ${megabytes(total(after, 'proportional'))}`)
  const busy = (total(after, 'ticks') - total(before, 'ticks')) / TICKS_PER_SECOND / (IDLE / 1000)
  console.log(`CPU when idle: ${(100 * busy).toFixed(1)}% of a core (target 2%)`)
} finally {
  await cluster.purge()
}

/** One line for each process. */
async function costs({ k8ts }: TestCluster): Promise<Cost[]> {
  const { components } = JSON.parse(await k8ts('status', '--output=json')) as {
    components: { name: string; pid: number }[]
  }
  const names = new Map<number, string>()
  for (const { name, pid } of components) names.set(pid, names.has(pid) ? `${names.get(pid)}+${name}` : name)
  return [...names].map(([pid, name]) => {
    const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
    const field = (label: string) => Number(new RegExp(`^${label}:\\s+(\\d+)`, 'm').exec(memory)?.[1])
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { name, resident: field('Rss'), proportional: field('Pss'), ticks: Number(fields[11]) + Number(fields[12]) }
  })
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

function megabytes(kibibytes: number): string {
  return `${(kibibytes / 1024).toFixed(0)} MB`.padStart(7)
}
