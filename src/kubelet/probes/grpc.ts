import { Client, credentials, status } from '@grpc/grpc-js'
import type { core } from '../../api/index.ts'
import { int, message, string } from '../runtime/cri/protobuf.ts'
import type { ProbeResult } from './probe.ts'

/** grpc.health.v1. Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const HealthCheckRequest = message({ service: string(1) })
const HealthCheckResponse = message({ status: int(1) })
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const SERVING = 1

export function grpcProbe(
  podIp: string,
  { port, service = '' }: core.GRPCAction,
  seconds: number,
): Promise<ProbeResult> {
  const address = `${podIp.includes(':') ? `[${podIp}]` : podIp}:${port}`
  const client = new Client(address, credentials.createInsecure())
  return new Promise(resolve => {
    const end = (ok: boolean, output: string) => {
      client.close()
      resolve({ ok, output })
    }
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (value: { service: string }) => Buffer.from(HealthCheckRequest.encode(value)),
      (bytes: Buffer) => HealthCheckResponse.decode(bytes),
      { service },
      { deadline: new Date(Date.now() + seconds * 1000) },
      (error, answer) => {
        if (answer)
          end(
            answer.status === SERVING,
            answer.status === SERVING
              ? 'service healthy'
              : `service unhealthy (responded with "${STATUSES[answer.status]}")`,
          )
        else if (error?.code === status.UNIMPLEMENTED)
          end(
            false,
            `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`,
          )
        else if (error?.code === status.DEADLINE_EXCEEDED || error?.code === status.UNAVAILABLE)
          end(false, `timeout: failed to connect service "${address}" within ${seconds}s: context deadline exceeded`)
        else end(false, `error: health rpc probe failed: ${error?.details}`)
      },
    )
  })
}
