import { readFile } from 'node:fs/promises'
import type { Resolver } from './forwarder.ts'

/** The resolvers that this machine itself uses. A machine without the file has none. */
export async function machineResolvers(path = '/etc/resolv.conf'): Promise<Resolver[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([keyword, address]) => keyword === 'nameserver' && address)
    .map(([, address]) => ({ address: address!.split('%')[0]!, port: 53 }))
}
