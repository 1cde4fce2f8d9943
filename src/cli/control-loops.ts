import { Command } from 'commander'
import { runControlLoops } from '../cluster/index.ts'
import { controllerManagerFlags } from './controller-manager.ts'
import { port } from './program.ts'

export const command = controllerManagerFlags(new Command('control-loops'))
  .description('Run controller manager and scheduler in one process, to save memory.')
  .requiredOption('--scheduler-kubeconfig <file>', "the scheduler's identity")
  .option('--scheduler-secure-port <port>', "the port for the scheduler's health and metrics", port, 10259)
  .action(flags => runControlLoops(flags))
