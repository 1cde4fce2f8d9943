import { Command } from 'commander'
import { runNodeServices } from '../cluster/index.ts'
import { dnsFlags, networkFlags, nodeFlags, proxyFlags } from './node-flags.ts'

export const command = dnsFlags(networkFlags(proxyFlags(nodeFlags(new Command('node-services')))))
  .description("Run network, proxy and dns of one node in one process, to save memory. --kubeconfig is the proxy's.")
  .requiredOption('--network-kubeconfig <file>', "the network's identity")
  .requiredOption('--dns-kubeconfig <file>', "the DNS server's identity")
  .action(flags => runNodeServices(flags))
