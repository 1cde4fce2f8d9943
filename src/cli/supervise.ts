import { Command } from 'commander'
import { supervise } from '../cluster/index.ts'

/** What `up` leaves in the background; not for people. */
export const command = new Command('supervise')
  .requiredOption('--name <name>')
  .requiredOption('--data-dir <directory>')
  .action(options => supervise({ ...options, entry: [process.execPath, process.argv[1] ?? ''] }))
