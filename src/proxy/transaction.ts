import { BASE_CHAINS, type NamedSet, type Ruleset } from './ruleset.ts'

/** A table by its family and name: `ip k8ts-main-proxy`. */
export type Table = string

/**
 * The nft commands, one transaction, that turn the table from `old` into `wanted`; empty when there is nothing to do.
 * Without `old`, whatever the table holds is replaced. Otherwise what stays the same is not touched, so that the
 * sets that remember clients keep what the kernel wrote into them.
 */
export function transaction(table: Table, old: Ruleset | undefined, wanted: Ruleset): string {
  const before = old ?? { chains: new Map(), sets: new Map() }
  const lines = [
    ...declarations(table, before, wanted),
    ...elementChanges(table, before, wanted),
    ...chainChanges(table, before, wanted),
    ...removals(table, before, wanted),
  ]
  return (old ? lines : [...fresh(table), ...lines, ...baseRules(table)]).map(line => `${line}\n`).join('')
}

function fresh(table: Table): string[] {
  const bases = Object.entries(BASE_CHAINS).map(
    ([chain, { declaration }]) => `add chain ${table} ${chain} { ${declaration}; policy accept; }`,
  )
  return [`add table ${table}`, `delete table ${table}`, `add table ${table}`, ...bases]
}

const baseRules = (table: Table): string[] =>
  Object.entries(BASE_CHAINS).flatMap(([chain, { rules }]) => rules.map(rule => `add rule ${table} ${chain} ${rule}`))

/** Before anything can name them. */
function declarations(table: Table, old: Ruleset, wanted: Ruleset): string[] {
  const lines: string[] = []
  for (const [name, { kind, declaration }] of wanted.sets)
    if (!same(old.sets.get(name), wanted.sets.get(name))) lines.push(`add ${kind} ${table} ${name} { ${declaration}; }`)
  for (const name of wanted.chains.keys()) if (!old.chains.has(name)) lines.push(`add chain ${table} ${name}`)
  return lines
}

const same = (a: NamedSet | undefined, b: NamedSet | undefined) => a?.declaration === b?.declaration

function elementChanges(table: Table, old: Ruleset, wanted: Ruleset): string[] {
  const lines: string[] = []
  for (const [name, { elements }] of wanted.sets) {
    const before = old.sets.get(name)?.elements ?? new Map<string, string>()
    const gone = [...before].filter(([key, value]) => elements.get(key) !== value).map(([key]) => key)
    const come = [...elements].filter(([key, value]) => before.get(key) !== value)
    if (gone.length) lines.push(`delete element ${table} ${name} { ${gone.join(', ')} }`)
    if (come.length)
      lines.push(
        `add element ${table} ${name} { ${come.map(([key, value]) => (value ? `${key} : ${value}` : key)).join(', ')} }`,
      )
  }
  return lines
}

function chainChanges(table: Table, old: Ruleset, wanted: Ruleset): string[] {
  const lines: string[] = []
  for (const [name, rules] of wanted.chains) {
    const before = old.chains.get(name)
    if (before && before.join('\n') === rules.join('\n')) continue
    if (before) lines.push(`flush chain ${table} ${name}`)
    for (const rule of rules) lines.push(`add rule ${table} ${name} ${rule}`)
  }
  return lines
}

/** Chains that go may name each other, so all are emptied before the first is deleted. */
function removals(table: Table, old: Ruleset, wanted: Ruleset): string[] {
  const chains = [...old.chains.keys()].filter(name => !wanted.chains.has(name))
  const sets = [...old.sets].filter(([name]) => !wanted.sets.has(name))
  return [
    ...chains.map(name => `flush chain ${table} ${name}`),
    ...chains.map(name => `delete chain ${table} ${name}`),
    ...sets.map(([name, { kind }]) => `delete ${kind} ${table} ${name}`),
  ]
}
