import { Command } from 'commander'
import { runDns } from '../cluster/index.ts'
import { dnsFlags } from './node-flags.ts'

export const command = dnsFlags(new Command('dns'))
  .description('Run the DNS server of the cluster.')
  .requiredOption('--kubeconfig <file>', 'where the API server is, and who this is')
  .action(flags => runDns(flags))
