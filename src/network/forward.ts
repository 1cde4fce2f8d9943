import type { RunCommand } from '../base/index.ts'

/** Where iptables, and with it Docker, decides about packets that are passed on. */
const CHAIN = ['ip', 'filter', 'FORWARD']

interface Listing {
  nftables: { chain?: { policy?: string }; rule?: { comment?: string; handle: number } }[]
}

/**
 * Docker lets nothing pass that it does not know. A packet must be accepted in every table, so pods' packets have to
 * be let through in that one; `comment` marks our rules there. Where nobody drops, nothing is done.
 */
export async function allowForwarding(run: RunCommand, bridge: string, comment: string): Promise<void> {
  const listing = await list(run)
  const drops = listing.some(({ chain }) => chain?.policy === 'drop')
  if (!drops || listing.some(({ rule }) => rule?.comment === comment)) return
  const rules = ['iifname', 'oifname'].map(
    direction => `insert rule ${CHAIN.join(' ')} ${direction} "${bridge}" counter accept comment "${comment}"\n`,
  )
  await run('nft', ['-f', '-'], rules.join(''))
}

export async function disallowForwarding(run: RunCommand, comment: string): Promise<void> {
  for (const { rule } of await list(run))
    if (rule?.comment === comment) await run('nft', ['delete', 'rule', ...CHAIN, 'handle', String(rule.handle)])
}

async function list(run: RunCommand): Promise<Listing['nftables']> {
  try {
    return (JSON.parse(await run('nft', ['-j', 'list', 'chain', ...CHAIN])) as Listing).nftables
  } catch {
    // There is no such chain.
    return []
  }
}
