import { Command } from 'commander'
import { runKubelet } from '../cluster/index.ts'

export const command = new Command('kubelet')
  .description('Run the agent of one node. Flags are those of the kubelet.')
  .requiredOption('--kubeconfig <file>', 'where the API server is, and who this is')
  .requiredOption('--config <file>', 'a KubeletConfiguration')
  .option('--hostname-override <name>', 'the name of the node (default: the hostname)')
  .option('--node-ip <ip>', 'the address of the node (default: the one towards the world)')
  .option('--root-dir <directory>', 'where pods have their volumes', '/var/lib/kubelet')
  .option('--container-runtime-endpoint <url>', 'the socket of the container runtime')
  .option('--cni-conf-dir <directory>', 'where CNI configurations appear', '/etc/cni/net.d')
  .action(flags => runKubelet(flags))
