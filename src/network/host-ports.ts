import type { RunCommand } from '../base/index.ts'

/** The portmap plugin's chains, shared by all CNI networks of the machine. Source: containernetworking/plugins, portmap */
const CHAINS = ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-SETMARK', 'CNI-HOSTPORT-MASQ']

interface Listing {
  nftables: {
    chain?: { name: string }
    rule?: { chain: string; handle: number; expr: { jump?: { target: string } }[] }
  }[]
}

/** Takes away what the portmap plugin never does: its chains, once no pod has a host port, and the table if nothing is left. */
export async function removeHostPortChains(run: RunCommand): Promise<void> {
  for (const table of ['ip nat', 'ip6 nat']) {
    const listing = await list(run, table)
    if (listing) await run('nft', ['-f', '-'], removal(table, listing))
  }
}

function removal(table: string, { nftables }: Listing): string {
  const rules = nftables.flatMap(({ rule }) => rule ?? [])
  if (rules.some(({ chain }) => chain === CHAINS[0])) return ''
  const ours = rules.filter(
    ({ chain, expr }) => CHAINS.includes(chain) || expr.some(({ jump }) => jump && CHAINS.includes(jump.target)),
  )
  if (ours.length === rules.length) return `delete table ${table}\n`
  const present = nftables.flatMap(({ chain }) => (chain && CHAINS.includes(chain.name) ? chain.name : []))
  return [
    ...ours.map(({ chain, handle }) => `delete rule ${table} ${chain} handle ${handle}\n`),
    ...present.map(chain => `delete chain ${table} ${chain}\n`),
  ].join('')
}

async function list(run: RunCommand, table: string): Promise<Listing | undefined> {
  try {
    return JSON.parse(await run('nft', ['-j', 'list', 'table', ...table.split(' ')])) as Listing
  } catch {
    // There is no such table.
    return undefined
  }
}
