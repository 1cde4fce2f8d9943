import { errors } from '../../api/index.ts'
import type { Context } from './context.ts'

/** The largest request body. Source: k8s.io/apiserver/pkg/server config.go MaxRequestBodyBytes. */
export const MAX_BODY = 3 * 1024 * 1024

/** Reads a request's body as a whole. The connection is of no more use after a body that is too large. */
export function readBody(request: Context['request']): Promise<Buffer> {
  const tooLarge = () => errors.tooLarge(`Request entity too large: limit is ${MAX_BODY}`)
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_BODY) {
        request.removeAllListeners('data')
        request.pause()
        return reject(tooLarge())
      }
      chunks.push(chunk)
    })
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.on('aborted', () =>
      reject(errors.badRequest('the client closed the connection before the end of the body')),
    )
    request.on('error', reject)
  })
}
