import { Command } from 'commander'
import { runProxy } from '../cluster/index.ts'
import { nodeFlags, proxyFlags } from './node-flags.ts'

export const command = proxyFlags(nodeFlags(new Command('proxy')))
  .description('Run the Service proxy of one node. Flags are those of kube-proxy.')
  .action(flags => runProxy(flags))
