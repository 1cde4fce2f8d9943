import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Command, Option } from 'commander'
import { up, userKubeconfig } from '../cluster/index.ts'
import { clusterOptions, duration, port } from './program.ts'

export const command = clusterOptions(new Command('up'))
  .description('Start a one-node cluster in the background and wait until its node is Ready.')
  .option('--api-port <port>', 'the port of the API server (default: 6443 or the next free one)', port)
  .option('--kubeconfig <file>', 'the kubeconfig that gets the context (default: $KUBECONFIG or ~/.kube/config)')
  .addOption(
    new Option('--wait <duration>', 'how long to wait for the node').argParser(duration).default(120_000, '2m'),
  )
  .action(async options => {
    const started = performance.now()
    const entry = [process.execPath, process.argv[1] ?? '']
    const { settings, alreadyRunning } = await up({ ...options, entry, progress: step => console.log(` - ${step}`) })
    if (alreadyRunning) {
      console.log(`Cluster ${settings.name} is already running: nothing to do.`)
      return
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`Cluster ${settings.name} is up (${seconds} s).\n`)
    console.log(nextSteps(settings.name, settings.kubeconfig))
  })

function nextSteps(name: string, kubeconfig: string): string {
  const steps = [
    'kubectl get nodes',
    'kubectl create deployment web --image=k8ts.local/demo --replicas=3',
    'kubectl expose deployment web --port=80 --target-port=8080',
    'kubectl get pods -o wide',
  ]
  if (kubeconfig !== userKubeconfig()) steps.unshift(`export KUBECONFIG=${kubeconfig}`)
  // From a checkout; elsewhere people have a kubectl.
  if (!onPath('kubectl'))
    steps.unshift('export PATH=$PATH:$(node_modules/.bin/node scripts/tools.ts)   # fetches kubectl')
  return [
    `kubectl's current context is now ${name}, in ${kubeconfig}. Try:`,
    '',
    ...steps.map(step => `  ${step}`),
    '',
    '`npm run status` shows the components, `npm run down` stops the cluster.',
  ].join('\n')
}

const onPath = (program: string) =>
  (process.env.PATH ?? '').split(delimiter).some(directory => existsSync(join(directory, program)))
