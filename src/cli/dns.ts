import { Command } from 'commander'
import { runDns } from '../cluster/index.ts'
import { clusterCidrFlag, dnsFlags } from './node-flags.ts'

export const command = clusterCidrFlag(dnsFlags(new Command('dns')))
  .description('Run the DNS server of the cluster. It answers pods and this machine.')
  .requiredOption('--kubeconfig <file>', 'where the API server is, and who this is')
  .action(flags => runDns(flags))
