import { readFileSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { join } from 'node:path'
import type { Layout } from './layout.ts'
import { readState, runningSupervisor } from './leftovers.ts'
import { isAlive } from './process.ts'
import { logFile, type Program, type ProgramComponent, programs } from './programs.ts'
import { findCluster } from './settings.ts'
import type { ProgramState } from './supervisor.ts'

export interface ComponentStatus {
  name: string
  /** `healthy`, or what is wrong: `unhealthy: HTTP 500`, `starting`, `backoff: exit code 1`, `stopped`. */
  health: string
  pid?: number
  restarts: number
  address: string
  log: string
}

export interface ClusterStatus {
  name: string
  running: boolean
  dataDirectory: string
  kubeconfig: string
  podCidr: string
  serviceCidr: string
  components: ComponentStatus[]
}

const TIMEOUT = 3_000

/** Undefined when there is no such cluster. */
export async function status(name: string, dataDirectory?: string): Promise<ClusterStatus | undefined> {
  const found = findCluster(name, dataDirectory)
  if (!found) return undefined
  const { settings, paths } = found
  const state = readState(paths)
  const supervisor = runningSupervisor(paths)
  const all = programs(settings, paths, [])
  const rows = await Promise.all(all.map(program => describe(program, state?.programs[program.name], paths)))
  return {
    name,
    running: supervisor !== undefined,
    dataDirectory: paths.data,
    kubeconfig: settings.kubeconfig,
    podCidr: settings.podCidr,
    serviceCidr: settings.serviceCidr,
    components: [
      {
        name: 'supervisor',
        health: supervisor ? 'healthy' : 'stopped',
        pid: supervisor?.pid,
        restarts: 0,
        address: '-',
        log: logFile(paths, 'supervisor'),
      },
      ...rows.flat(),
    ],
  }
}

/** One line for each component of the process. */
function describe(program: Program, state: ProgramState | undefined, paths: Layout): Promise<ComponentStatus[]> {
  return Promise.all(
    program.components.map(async component => ({
      name: component.name,
      health: await judge(component, state, paths),
      pid: state?.process?.pid,
      restarts: state?.restarts ?? 0,
      address: component.address,
      log: logFile(paths, program.name),
    })),
  )
}

async function judge(component: ProgramComponent, state: ProgramState | undefined, paths: Layout): Promise<string> {
  if (!state || (state.process && !isAlive(state.process))) return 'stopped'
  if (state.phase === 'backoff') return `backoff: ${state.lastExit}`
  if (state.phase !== 'ready') return state.phase
  if (!component.healthUrl) return 'healthy'
  try {
    const code = await probe(component.healthUrl, paths)
    return code === 200 ? 'healthy' : `unhealthy: HTTP ${code}`
  } catch (error) {
    return `unhealthy: ${(error as Error).message}`
  }
}

function probe(url: string, paths: Layout): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:')
      ? httpsGet(url, { ...adminTls(paths), timeout: TIMEOUT, agent: false })
      : httpGet(url, { timeout: TIMEOUT, agent: false })
    request.once('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT / 1000} s`)))
    request.once('error', reject)
    request.once('response', response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
  })
}

function adminTls(paths: Layout) {
  const { users, clusters } = JSON.parse(readFileSync(join(paths.kubeconfigs, 'admin.conf'), 'utf8'))
  const bytes = (data: string) => Buffer.from(data, 'base64')
  return {
    ca: bytes(clusters[0].cluster['certificate-authority-data']),
    cert: bytes(users[0].user['client-certificate-data']),
    key: bytes(users[0].user['client-key-data']),
  }
}
