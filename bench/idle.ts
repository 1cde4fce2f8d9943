/**
 * What a cluster costs while nothing happens: resident memory of all k8ts processes, and the CPU they use over a minute.
 * A page that several processes share counts for each of them in RSS; PSS counts it once, in parts. Against as many Node
 * processes that do nothing at all. containerd, which is not ours, is shown apart.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { createCluster, processesOf } from './support/cluster.ts'
import type { Figure } from './support/figures.ts'
import { main, progress } from './support/main.ts'

interface Cost {
  /** MB. */
  rss: number
  pss: number
  /** Seconds of CPU since the process began. */
  cpu: number
}

/** Milliseconds. What a start leaves to be done is over by then. */
const SETTLE = 30_000
const IDLE = 60_000
/** USER_HZ, which the kernel's interface has fixed. */
const TICKS_PER_SECOND = 100

async function measure(stack: AsyncDisposableStack): Promise<Figure[]> {
  const cluster = await createCluster(stack)
  await cluster.k8ts('up')
  const processes = processesOf(cluster)
  progress(`waiting ${(SETTLE + IDLE) / 1000} s`)
  await setTimeout(SETTLE)
  const before = costsOf(processes)
  const began = performance.now()
  await setTimeout(IDLE)
  const after = costsOf(processes)
  const seconds = (performance.now() - began) / 1000
  const busy = (name: string) => (100 * (after.get(name)!.cpu - before.get(name)!.cpu)) / seconds
  const own = [...after.keys()].filter(name => name !== 'containerd')
  const sum = (figure: (name: string) => number) => own.reduce((total, name) => total + figure(name), 0)
  const bare = await bareNode()
  const limit = (cost: number, one: number): Figure['bare'] => ({
    what: `${own.length} idle Node processes`,
    value: own.length * one,
    ratio: cost / (own.length * one),
  })
  const rss = sum(name => after.get(name)!.rss)
  const pss = sum(name => after.get(name)!.pss)
  return [
    {
      name: 'idle, RSS of all',
      value: rss,
      unit: 'MB',
      bare: limit(rss, bare.rss),
      target: { of: 'value', most: 400 },
    },
    { name: 'idle, PSS of all', value: pss, unit: 'MB', bare: limit(pss, bare.pss) },
    { name: 'idle, CPU of all', value: sum(busy), unit: '% of a core', target: { of: 'value', most: 2 } },
    ...[...own, 'containerd'].flatMap((name): Figure[] => [
      { name: `  ${name}, RSS`, value: after.get(name)!.rss, unit: 'MB' },
      { name: `  ${name}, PSS`, value: after.get(name)!.pss, unit: 'MB' },
      { name: `  ${name}, CPU`, value: busy(name), unit: '% of a core' },
    ]),
  ]
}

const costsOf = (processes: Map<string, number>) => new Map([...processes].map(([name, pid]) => [name, costOf(pid)]))

function costOf(pid: number): Cost {
  const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  const megabytes = (label: string) => Number(new RegExp(`^${label}:\\s+(\\d+)`, 'm').exec(memory)?.[1]) / 1024
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field, the program's name in brackets, may hold spaces. Then utime and stime are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const cpu = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  return { rss: megabytes('Rss'), pss: megabytes('Pss'), cpu }
}

async function bareNode(): Promise<Cost> {
  const script = 'process.stdin.resume(); console.log()'
  const child = spawn(process.execPath, ['--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  await once(child.stdout, 'data')
  const cost = costOf(child.pid!)
  child.stdin.end()
  await exit
  return cost
}

if (import.meta.main) await main(measure)
