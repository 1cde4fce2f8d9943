import { parseArgs } from 'node:util'
import { type Figure, formatTable } from './figures.ts'

/** What it starts it puts on `stack`, to be ended in any case, also on Ctrl-C. */
export type Measure = (stack: AsyncDisposableStack) => Promise<Figure[]>

/** Runs a benchmark as a program: prints its figures as a table, or with `--json` as an array of Figure. */
export async function main(measure: Measure): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
  print(await take(measure), values.json)
}

export function print(figures: Figure[], json: boolean): void {
  console.log(json ? JSON.stringify(figures, null, 2) : formatTable(figures))
}

/** Says how far it is to whoever looks on. */
export function progress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${message}\n`)
}

async function take(measure: Measure): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack()
  return await Promise.race([measure(stack), interruption()])
}

function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => reject(new Error(`stopped by ${signal}`)))
  })
}
