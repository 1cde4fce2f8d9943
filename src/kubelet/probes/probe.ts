import type { core } from '../../api/index.ts'
import { httpGet, portOf, tcpConnect } from '../pod/hooks.ts'
import { type Runtime, RuntimeError } from '../runtime/runtime.ts'

export interface ProbeTarget {
  runtime: Runtime
  containerId: string
  container: core.Container
  podIp: string
}

export interface ProbeResult {
  ok: boolean
  output: string
}

const USER_AGENT = 'kube-probe/1.36'
const MAX_OUTPUT = 10 * 1024

/** Asks once. An answer that says no is a result; that there was no way to ask is an error. */
export async function runProbe(probe: core.Probe, target: ProbeTarget): Promise<ProbeResult> {
  const seconds = probe.timeoutSeconds || 1
  if (probe.exec) return execProbe(probe.exec.command ?? [], seconds, target)
  if (probe.httpGet) return httpProbe(probe.httpGet, seconds, target)
  if (probe.tcpSocket) {
    const { host, port } = probe.tcpSocket
    const number = portOf(port, target.container)
    return tcpConnect(host || target.podIp, number, seconds * 1000).then(() => ({ ok: true, output: '' }), failed)
  }
  if (probe.grpc) {
    const { grpcProbe } = await import('./grpc.ts')
    return grpcProbe(target.podIp, probe.grpc, seconds)
  }
  throw new Error(`missing probe handler for ${target.container.name}`)
}

const failed = (error: Error): ProbeResult => ({ ok: false, output: error.message })

async function execProbe(
  command: string[],
  seconds: number,
  { runtime, containerId }: ProbeTarget,
): Promise<ProbeResult> {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, seconds)
    return { ok: exitCode === 0, output: Buffer.concat([stdout, stderr]).subarray(0, MAX_OUTPUT).toString() }
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'DeadlineExceeded')
      return { ok: false, output: `command timed out: "${command.join(' ')}" timed out after ${seconds}s` }
    throw error
  }
}

async function httpProbe(action: core.HTTPGetAction, seconds: number, target: ProbeTarget): Promise<ProbeResult> {
  portOf(action.port, target.container)
  try {
    const { status, body } = await httpGet(action, target.container, target.podIp, seconds * 1000, USER_AGENT)
    if (status >= 200 && status < 400) return { ok: true, output: body }
    return { ok: false, output: `HTTP probe failed with statuscode: ${status}` }
  } catch (error) {
    return failed(error as Error)
  }
}
