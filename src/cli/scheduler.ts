import { Command } from 'commander'
import { runScheduler } from '../cluster/index.ts'
import { boolean, port } from './program.ts'

export const command = new Command('scheduler')
  .description('Run the scheduler. Flags are those of kube-scheduler.')
  .requiredOption('--kubeconfig <file>', 'where the API server is, and who this is')
  .option('--leader-elect [boolean]', 'act only while holding the lease', boolean, false)
  .option('--bind-address <ip>', 'the address for health and metrics', '127.0.0.1')
  .option('--secure-port <port>', 'the port for health and metrics; 0 for none', port, 10259)
  .action(flags => runScheduler(flags))
