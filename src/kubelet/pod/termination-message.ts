import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { annotations, type ContainerStatus } from '../runtime/runtime.ts'
import { parseLogLine } from '../server/log-format.ts'

/** Bytes. Source: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ */
const LIMIT = 4096
const LOG_LIMIT = 2048
const LOG_LINES = 80

/** What a container that ended left to be said about it; empty when nothing. */
export async function terminationMessage(status: ContainerStatus): Promise<string> {
  const path = status.annotations[annotations.terminationMessagePath]
  const file = status.mounts.find(({ containerPath }) => containerPath === path)?.hostPath
  const message = file ? await lastBytes(file, LIMIT, 'start') : ''
  const fallsBack = status.annotations[annotations.terminationMessagePolicy] === 'FallbackToLogsOnError'
  if (message || !fallsBack || status.exitCode === 0 || !status.logPath) return message
  return logTail(await lastBytes(status.logPath, 2 * LOG_LIMIT, 'end'))
}

/** The container wrote the file and may have put a link there. */
async function lastBytes(path: string, count: number, from: 'start' | 'end'): Promise<string> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const { size } = await file.stat()
      const buffer = Buffer.alloc(Math.min(size, count))
      await file.read(buffer, 0, buffer.length, from === 'start' ? 0 : size - buffer.length)
      return buffer.toString()
    } finally {
      await file.close()
    }
  } catch {
    return ''
  }
}

function logTail(text: string): string {
  const lines = text.split('\n').flatMap(line => {
    const parsed = parseLogLine(Buffer.from(line))
    return parsed ? parsed.text.toString() + (parsed.partial ? '' : '\n') : []
  })
  return lines.slice(-LOG_LINES).join('').slice(-LOG_LIMIT)
}
