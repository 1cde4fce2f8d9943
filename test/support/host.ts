/** What a cluster's containers look like from the machine that they run on. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

/** The process that is number 1 inside the container `containerd://ID`. */
export function firstProcessOf(containerId: string | undefined): number {
  const id = containerId?.replace('containerd://', '') ?? ''
  assert.match(id, /^[0-9a-f]{64}$/)
  const found = processes().filter(pid => read(pid, 'cgroup').includes(id) && isFirst(pid))
  assert.equal(found.length, 1, `one first process of ${containerId}`)
  return Number(found[0])
}

/** The ids of the cluster's running containers whose first process runs the program. */
export function containersRunning(program: string, cluster: string): string[] {
  const inCluster = new RegExp(`/k8ts/${cluster}/kubepods/.*/([0-9a-f]{64})$`, 'm')
  const mine = processes().filter(pid => read(pid, 'cmdline').split('\0').includes(program) && isFirst(pid))
  return mine.map(pid => read(pid, 'cgroup').match(inCluster)?.[1]).filter(id => id !== undefined)
}

const processes = () => readdirSync('/proc').filter(entry => /^\d+$/.test(entry))

/** Number 1 of a process namespace that is not the machine's. Source: proc(5), NSpid. */
const isFirst = (pid: string) => /^NSpid:.*\s\d+\s1$/m.test(read(pid, 'status'))

function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    // The process has ended.
    return ''
  }
}
