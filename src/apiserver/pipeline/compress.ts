import { promisify } from 'node:util'
import { createGzip, type Gzip, gzip } from 'node:zlib'
import type { Context, Reply } from './context.ts'
import { MEDIA_TYPES } from './formats.ts'

/**
 * Answers are compressed from this size on, and quickly rather than well: clients are near.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters defaultGzipThresholdBytes, defaultGzipContentEncodingLevel
 */
const THRESHOLD = 128 * 1024
const OPTIONS = { level: 1 }

const gzipped = promisify(gzip)

export const COMPRESSED = { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }

export function takesGzip({ headers }: Context['request']): boolean {
  const accepted = headers['accept-encoding']
  return accepted !== undefined && /(?:^|,)\s*(?:gzip|\*)\s*(?:[;,]|$)/.test(String(accepted))
}

/** Whether an answer is to be compressed: large ones of objects are, where the client takes it. */
export function isWorthwhile(context: Context, { type, body, headers }: Reply): boolean {
  const size = Array.isArray(body) ? body.reduce((sum, { length }) => sum + length, 0) : body.length
  if (size <= THRESHOLD || headers?.['Content-Encoding']) return false
  return (type === undefined || MEDIA_TYPES.includes(type)) && takesGzip(context.request)
}

export async function compressed(reply: Reply): Promise<Reply> {
  const body = await gzipped(Array.isArray(reply.body) ? Buffer.concat(reply.body) : reply.body, OPTIONS)
  return { ...reply, body, headers: { ...reply.headers, ...COMPRESSED } }
}

/** For an answer that is written bit by bit. */
export const compressor = (): Gzip => createGzip(OPTIONS)
