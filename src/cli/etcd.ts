import { Command } from 'commander'
import { runEtcd } from '../cluster/index.ts'
import { collect } from './program.ts'

export const command = new Command('etcd')
  .description('Stand in for etcd where a test harness starts one: it is healthy, and keeps nothing.')
  .option('--listen-client-urls <urls>', 'where to listen', collect)
  .option('--listen-metrics-urls <urls>', 'where to answer /health besides', collect)
  // Whatever else etcd takes has nothing to act on here.
  .allowUnknownOption()
  .allowExcessArguments()
  .action(flags => runEtcd(flags))
