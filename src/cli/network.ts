import { Command } from 'commander'
import { runNetwork } from '../cluster/index.ts'
import { networkFlags, nodeFlags } from './node-flags.ts'

export const command = networkFlags(nodeFlags(new Command('network')))
  .description('Run the pod network of one node: CNI configuration, routes, masquerade.')
  .action(flags => runNetwork(flags))
