import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { envtest } from '../cluster/index.ts'

/** Where a checkout keeps its kubectl, seen from the bundle. */
const TOOLS = join(dirname(process.argv[1] ?? ''), '..', '.cache', 'tools')

export const command = new Command('envtest')
  .description('Write kube-apiserver, etcd and kubectl into a directory, for harnesses that test controllers.')
  .argument('<directory>', 'what KUBEBUILDER_ASSETS is to name')
  .action(async (directory: string) => {
    for (const [file, program] of Object.entries(await envtest(directory, TOOLS))) console.log(`${file}: ${program}`)
  })
