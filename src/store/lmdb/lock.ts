import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { createServer } from 'node:net'

/**
 * Makes sure that no other process has the directory open, which holds its keys in memory and would not see our writes.
 * The lock is the name of a socket in Linux's abstract namespace: the kernel frees it when its process dies, however it
 * dies. Other systems have no such names, and there nobody is kept out.
 * Returns what releases it.
 */
export async function lock(directory: string): Promise<() => Promise<void>> {
  if (process.platform !== 'linux') return async () => {}
  const name = createHash('sha256').update(realpathSync(directory)).digest('hex')
  const server = createServer(socket => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(`the store ${directory} is in use by another process`) : error),
    )
    server.listen(`\0k8ts-store-${name}`, resolve)
  })
  server.unref()
  return () => new Promise(resolve => server.close(() => resolve()))
}
