import { parseArgs } from 'node:util'
import { supervise } from '../cluster/index.ts'

/** What `up` leaves in the background; not for people, and without commander, to be small. */
export async function run(args: string[]): Promise<void> {
  const options = { name: { type: 'string' }, 'data-dir': { type: 'string' } } as const
  const { name = '', 'data-dir': dataDir = '' } = parseArgs({ args, options }).values
  await supervise({ name, dataDir, entry: [process.execPath, process.argv[1] ?? ''] })
}
