/**
 * Runs every benchmark in turn, each as a process of its own, or those that are named, and prints all figures together.
 *
 *     npm run bench [-- [--json] [pod-start] [idle] ...]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import type { Figure } from './support/figures.ts'
import { print, progress } from './support/main.ts'

const all = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith('.ts') && file !== 'run.ts')
  .map(file => basename(file, '.ts'))
const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const unknown = positionals.filter(name => !all.includes(name))
if (unknown.length > 0) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}`)

const failed: string[] = []
const figures: Figure[] = []
const interruption = new AbortController()
// Ctrl-C reaches the benchmark too, which ends what it started; this process waits for that.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort())
for (const name of positionals.length > 0 ? positionals : all) {
  if (interruption.signal.aborted) break
  progress(`== ${name}`)
  try {
    figures.push(...(await run(name)))
  } catch {
    failed.push(name)
  }
}
print(figures, values.json)
if (failed.length > 0) throw new Error(`no figures from ${failed.join(', ')}`)

async function run(name: string): Promise<Figure[]> {
  const file = join(import.meta.dirname, `${name}.ts`)
  const child = spawn(process.execPath, [file, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const output = await text(child.stdout)
  await exit
  return JSON.parse(output)
}
