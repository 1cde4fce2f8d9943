import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { RunCommand } from '../base/index.ts'

/** Ethernet's; what a machine without any route out gets. */
const USUAL_MTU = 1500

/** Packets are passed on, and those that only cross a bridge are seen by netfilter too, which Services rely on. */
const SYSCTLS = ['net/ipv4/ip_forward', 'net/bridge/bridge-nf-call-iptables']

export async function setSysctls(run: RunCommand): Promise<void> {
  for (const name of SYSCTLS) {
    const path = `/proc/sys/${name}`
    const value = await readFile(path, 'utf8').catch(() => undefined)
    // The bridge's files appear when its module is loaded.
    if (value === undefined) await run('modprobe', ['br_netfilter'])
    if (value?.trim() !== '1') await writeFile(path, '1')
  }
}

/** The MTU of the device that leads out of this machine: pods must not send larger packets than it takes. */
export async function outwardMtu(run: RunCommand): Promise<number> {
  const routes = JSON.parse((await run('ip', ['-j', 'route', 'show', 'default'])) || '[]') as { dev: string }[]
  if (!routes[0]) return USUAL_MTU
  const [link] = JSON.parse(await run('ip', ['-j', 'link', 'show', 'dev', routes[0].dev])) as { mtu: number }[]
  return link?.mtu ?? USUAL_MTU
}

/** Replaces the file as a whole, and only if its content differs. */
export async function writeWhole(path: string, content: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === content) return
  await mkdir(dirname(path), { recursive: true })
  // The runtime reads every file that ends as a configuration does; this one must not.
  const draft = `${path}.new`
  await writeFile(draft, content)
  await rename(draft, path)
}

export const removeFile = (path: string): Promise<void> => rm(path, { force: true, recursive: true })
