import { parseArgs } from 'node:util'
import { type Figure, formatTable } from './figures.ts'

/** What a benchmark started is put on `stack`: it is ended in any case, also on Ctrl-C. */
export type Measure = (stack: AsyncDisposableStack) => Promise<Figure[]>

/** Runs a benchmark as a program: prints its figures as a table, or with `--json` as an array of Figure. */
export async function main(measure: Measure): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
  await using stack = new AsyncDisposableStack()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stack.disposeAsync().finally(() => process.exit(130)))
  const figures = await measure(stack)
  console.log(values.json ? JSON.stringify(figures, null, 2) : formatTable(figures))
}

/** Says how far it is, where it disturbs no output. */
export function progress(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${message}\n`)
}
