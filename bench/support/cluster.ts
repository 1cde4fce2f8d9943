import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, connect, loadKubeconfig } from '../../src/client/index.ts'
import type { State } from '../../src/cluster/supervisor.ts'
import { newCluster, type TestCluster } from '../../test/support/cluster.ts'

export const DEMO_IMAGE = 'k8ts.local/demo:latest'

/** A cluster that is not up yet; it is purged at the end. */
export async function createCluster(stack: AsyncDisposableStack): Promise<TestCluster> {
  const created = await newCluster()
  stack.defer(() => created.purge())
  return created
}

export async function connectTo({ kubeconfig }: TestCluster, stack: AsyncDisposableStack): Promise<Client> {
  const client = connect(await loadKubeconfig(kubeconfig))
  stack.defer(() => client.close())
  return client
}

export const socketOf = ({ name }: TestCluster): string => join('/run/k8ts', name, 'containerd', 'containerd.sock')

/** Process numbers by the program's name, the supervisor's too. */
export function processesOf({ name }: TestCluster): Map<string, number> {
  const { supervisor, programs } = JSON.parse(readFileSync(join('/run/k8ts', name, 'state.json'), 'utf8')) as State
  const children = Object.entries(programs).flatMap(([program, { process: id }]): [string, number][] =>
    id ? [[program, id.pid]] : [],
  )
  return new Map([['supervisor', supervisor.pid], ...children])
}
