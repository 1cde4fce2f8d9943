import { Command } from 'commander'
import { runApiServer } from '../cluster/index.ts'
import { collect, port } from './program.ts'

export const command = new Command('apiserver')
  .description('Run the API server. Flags are those of kube-apiserver.')
  .requiredOption('--data-dir <directory>', 'where the store keeps its data')
  .option('--bind-address <ip>', 'the address to listen on', '0.0.0.0')
  .option('--secure-port <port>', 'the HTTPS port; 0 takes a free one', port, 6443)
  .requiredOption('--advertise-address <ip>', 'the address that members of the cluster reach this server at')
  .requiredOption('--tls-cert-file <file>', 'the serving certificate')
  .requiredOption('--tls-private-key-file <file>', 'its key')
  .requiredOption('--client-ca-file <file>', 'signs the certificates of clients')
  .option('--service-account-issuer <url>', 'the issuer of tokens', 'https://kubernetes.default.svc.cluster.local')
  .requiredOption('--service-account-key-file <file>', 'verifies tokens; may be given several times', collect)
  .requiredOption('--service-account-signing-key-file <file>', 'signs tokens')
  .option('--service-cluster-ip-range <cidr>', 'the addresses of Services', '10.96.0.0/16')
  .option('--service-node-port-range <range>', 'the ports of NodePort Services', '30000-32767')
  .option('--kubelet-certificate-authority <file>', 'signs the serving certificates of kubelets')
  .option('--kubelet-client-certificate <file>', 'the certificate to show to kubelets')
  .option('--kubelet-client-key <file>', 'its key')
  .action(flags => runApiServer(flags))
