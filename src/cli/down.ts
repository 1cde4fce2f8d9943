import { Command } from 'commander'
import { down } from '../cluster/index.ts'
import { clusterOptions } from './program.ts'

export const command = clusterOptions(new Command('down'))
  .description('Stop everything that `up` started. The data stay, and `up` finds the same cluster again.')
  .option(
    '--purge',
    'also remove the data, network devices, nft tables, cgroups, mounts and the kubeconfig context',
    false,
  )
  .action(async options => {
    const progress = (message: string) => console.log(` - ${message}`)
    if (!(await down({ ...options, progress }))) console.log(`There is no cluster ${options.name}: nothing to do.`)
  })
