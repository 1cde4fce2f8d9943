import { readFileSync } from 'node:fs'
import type { AuditOptions, Delivery } from '../../apiserver/index.ts'
import type { AuditFlags } from './apiserver-flags.ts'
import { connection } from './authorization.ts'

const MODES = ['batch', 'blocking', 'blocking-strict']
const FORMATS = ['legacy', 'json']

/** The flags of one place that events go to, without its name before them. */
interface Place {
  mode?: string
  batchBufferSize?: number
  batchMaxSize?: number
  batchMaxWait?: number
  batchThrottleEnable?: boolean
  batchThrottleQps?: number
  batchThrottleBurst?: number
  truncateEnabled?: boolean
  truncateMaxEventSize?: number
}

/** What is noted and where, or nothing. Source: k8s.io/apiserver/pkg/server/options/audit.go */
export async function auditOf(flags: AuditFlags): Promise<AuditOptions | undefined> {
  const { auditPolicyFile: file, auditLogPath: path, auditWebhookConfigFile: webhook } = flags
  if (!file || !(path || webhook)) return undefined
  return {
    policy: { content: read(file), file },
    ...(path
      ? {
          log: {
            path,
            format: flags.auditLogFormat === 'legacy' ? 'legacy' : 'json',
            maxAge: flags.auditLogMaxage ?? 366,
            maxBackups: flags.auditLogMaxbackup ?? 100,
            maxSize: flags.auditLogMaxsize ?? 100,
            compress: flags.auditLogCompress ?? false,
            ...delivery(placeOf(flags, 'auditLog'), LOG),
          },
        }
      : {}),
    ...(webhook
      ? {
          webhook: {
            connection: await connection(webhook),
            initialBackoff: flags.auditWebhookInitialBackoff ?? 10_000,
            ...delivery(placeOf(flags, 'auditWebhook'), WEBHOOK),
          },
        }
      : {}),
  }
}

/** What each place is sent when no flag says so. */
const LOG = { mode: 'blocking', maxSize: 1, maxWait: 0, throttle: false }
const WEBHOOK = { mode: 'batch', maxSize: 400, maxWait: 30_000, throttle: true }

function delivery(place: Place, usual: typeof LOG): Delivery {
  const { mode = usual.mode, truncateEnabled, truncateMaxEventSize = 102_400 } = place
  const throttled = place.batchThrottleEnable ?? usual.throttle
  return {
    ...(mode === 'batch'
      ? {
          batch: {
            bufferSize: place.batchBufferSize ?? 10_000,
            maxSize: place.batchMaxSize ?? usual.maxSize,
            maxWait: place.batchMaxWait ?? usual.maxWait,
            ...(throttled
              ? { throttle: { qps: place.batchThrottleQps ?? 10, burst: place.batchThrottleBurst ?? 15 } }
              : {}),
          },
        }
      : {}),
    ...(truncateEnabled ? { maxEventSize: truncateMaxEventSize } : {}),
  }
}

function placeOf(flags: AuditFlags, prefix: 'auditLog' | 'auditWebhook'): Place {
  const own = Object.entries(flags).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(
    own.map(([name, value]) => [name[prefix.length]!.toLowerCase() + name.slice(prefix.length + 1), value]),
  )
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    throw new Error(
      `loading audit policy file: failed to read file path ${JSON.stringify(file)}: open ${file}: no such file or directory`,
    )
  }
}

/** Source: AuditOptions.Validate */
export function auditProblems(flags: AuditFlags): string[] {
  const problems: string[] = []
  if (flags.auditLogPath) {
    problems.push(...placeProblems('log', placeOf(flags, 'auditLog')))
    for (const [name, value] of [
      ['maxage', flags.auditLogMaxage],
      ['maxbackup', flags.auditLogMaxbackup],
      ['maxsize', flags.auditLogMaxsize],
    ] as const)
      if ((value ?? 0) < 0) problems.push(`--audit-log-${name} ${value} can't be a negative number`)
    const { auditLogFormat: format } = flags
    if (format !== undefined && !FORMATS.includes(format))
      problems.push(`invalid audit log format ${format}, allowed formats are ${JSON.stringify(FORMATS.join(','))}`)
  }
  if (flags.auditWebhookConfigFile) problems.push(...placeProblems('webhook', placeOf(flags, 'auditWebhook')))
  return problems
}

function placeProblems(name: string, { mode, batchBufferSize, batchMaxSize }: Place): string[] {
  if (mode !== undefined && !MODES.includes(mode))
    return [`invalid audit ${name} mode ${mode}, allowed modes are ${JSON.stringify(MODES.join(','))}`]
  const wrong = (what: string, value: number) =>
    `invalid audit batch ${name} ${what} ${value}, must be a positive number`
  if (batchBufferSize !== undefined && batchBufferSize <= 0) return [wrong('buffer size', batchBufferSize)]
  if (batchMaxSize !== undefined && batchMaxSize <= 0) return [wrong('max batch size', batchMaxSize)]
  return []
}
