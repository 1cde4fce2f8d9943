import { hostname } from 'node:os'
import type { Command } from 'commander'
import { port } from './program.ts'

export const nodeFlags = (command: Command) =>
  clusterCidrFlag(command)
    .requiredOption('--kubeconfig <file>', 'where the API server is, and who this is')
    .option('--hostname-override <name>', 'the name of the node', hostname().toLowerCase())
    .option('--cluster-name <name>', 'names the devices and tables', 'k8ts')

export const clusterCidrFlag = (command: Command) =>
  command.option('--cluster-cidr <cidr>', 'the addresses of pods', '10.244.0.0/16')

export const proxyFlags = (command: Command) =>
  command.option('--healthz-bind-address <ip:port>', 'where health and metrics are answered', '127.0.0.1:10256')

export const networkFlags = (command: Command) =>
  command
    .requiredOption('--cni-conf-dir <directory>', 'where the container runtime looks for CNI configuration')
    .requiredOption('--cni-data-dir <directory>', 'where addresses in use are kept')

export const dnsFlags = (command: Command) =>
  command
    .requiredOption('--dns-address <ip>', 'the address to listen on, which pods can reach')
    .option('--dns-port <port>', 'the port to listen on', port, 10053)
    .option('--cluster-dns <ip>', 'the address of the kube-dns Service', '10.96.0.10')
    .option('--cluster-domain <domain>', 'the domain of the cluster', 'cluster.local')
