import { Command, Option } from 'commander'
import { type ApiServerFlags, runApiServer } from '../cluster/index.ts'
import { WITHOUT_EFFECT } from './apiserver-flags.ts'
import { boolean, collect, port } from './program.ts'

export const command = new Command('apiserver')
  .description('Run the API server. Flags are those of kube-apiserver.')
  .option('--data-dir <directory>', 'where the store keeps its data (default: a temporary one in --cert-dir)')
  .option(
    '--etcd-servers <urls>',
    'taken as a sign that the data may go with the process: the store is embedded',
    collect,
  )
  .option('--bind-address <ip>', 'the address to listen on', '0.0.0.0')
  .option('--secure-port <port>', 'the HTTPS port; 0 takes a free one', port, 6443)
  .option('--advertise-address <ip>', 'the address that members of the cluster reach this server at')
  .option('--cert-dir <directory>', 'where certificates lie that no flag names (default: /var/run/kubernetes)')
  .option('--tls-cert-file <file>', 'the serving certificate (default: apiserver.crt in --cert-dir, made if missing)')
  .option('--tls-private-key-file <file>', 'its key (default: apiserver.key in --cert-dir)')
  .option('--client-ca-file <file>', 'signs the certificates of clients')
  .option('--token-auth-file <file>', 'tokens of users, as CSV')
  .option('--authorization-mode <modes>', 'AlwaysAllow, or what only lets components and system:masters in', collect)
  .option('--service-account-issuer <url>', 'the issuer of tokens', collect)
  .option('--service-account-key-file <file>', 'verifies tokens; may be given several times', collect)
  .option('--service-account-signing-key-file <file>', 'signs tokens (default: the serving key)')
  .option('--service-cluster-ip-range <cidr>', 'the addresses of Services', '10.0.0.0/24')
  .option('--service-node-port-range <range>', 'the ports of NodePort Services', '30000-32767')
  .option('--kubelet-certificate-authority <file>', 'signs the serving certificates of kubelets')
  .option('--kubelet-client-certificate <file>', 'the certificate to show to kubelets')
  .option('--kubelet-client-key <file>', 'its key')
  .option('--proxy-client-cert-file <file>', 'the certificate to show to aggregated API servers')
  .option('--proxy-client-key-file <file>', 'its key')
  .option('--requestheader-client-ca-file <file>', 'signs that certificate')
  .option('--requestheader-allowed-names <names>', 'the names that it may be made out to', collect)
  .option('--requestheader-username-headers <names>', 'the headers that carry who asks', collect)
  .option('--requestheader-group-headers <names>', 'those that carry the groups', collect)
  .option('--requestheader-extra-headers-prefix <names>', 'what those begin with that carry the rest', collect)
  .option('--enable-admission-plugins <names>', 'admission plugins to run besides the usual', collect)
  .option('--disable-admission-plugins <names>', 'usual admission plugins that are not to run', collect)
  .option('--runtime-config <versions>', 'API versions to serve or not', collect)
  .option('--allow-privileged [boolean]', 'privileged containers are always allowed', boolean)
  .addOption(new Option('-v, --v <level>', 'how much to log; K8TS_LOG_LEVEL says it here').hideHelp())
  .action((flags: ApiServerFlags) => runApiServer({ ...flags, withoutEffect: [...ignored] }))

const ignored = new Set<string>()
for (const name of WITHOUT_EFFECT)
  command.addOption(new Option(`--${name} [value]`).hideHelp()).on(`option:${name}`, () => ignored.add(name))
