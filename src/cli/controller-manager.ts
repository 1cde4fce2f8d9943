import { Command } from 'commander'
import { runControllerManager } from '../cluster/index.ts'
import { boolean, number, port } from './program.ts'

export const controllerManagerFlags = (command: Command) =>
  command
    .requiredOption('--kubeconfig <file>', 'where the API server is, and who this is')
    .option('--cluster-cidr <cidr>', 'the addresses of pods', '10.244.0.0/16')
    .option('--node-cidr-mask-size <bits>', 'how large the part of a node is', number, 24)
    .requiredOption('--root-ca-file <file>', 'the certificate that pods verify the API server with')
    .option('--leader-elect [boolean]', 'act only while holding the lease', boolean, false)
    .option('--bind-address <ip>', 'the address for health and metrics', '127.0.0.1')
    .option('--secure-port <port>', 'the port for health and metrics; 0 for none', port, 10257)

export const command = controllerManagerFlags(new Command('controller-manager'))
  .description('Run the controllers. Flags are those of kube-controller-manager.')
  .action(flags => runControllerManager(flags))
