import { Command } from 'commander'
import { up } from '../cluster/index.ts'
import { clusterOptions, duration, port } from './program.ts'

export const command = clusterOptions(new Command('up'))
  .description('Start a one-node cluster in the background and wait until its node is Ready.')
  .option('--api-port <port>', 'the port of the API server (default: 6443 or the next free one)', port)
  .option('--kubeconfig <file>', 'the kubeconfig that gets the context (default: $KUBECONFIG or ~/.kube/config)')
  .option('--wait <duration>', 'how long to wait for the node', duration, 120_000)
  .action(async options => {
    const started = performance.now()
    const entry = [process.execPath, process.argv[1] ?? '']
    const progress = (message: string) => console.log(` - ${message}`)
    const { settings, alreadyRunning } = await up({ ...options, entry, progress })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(
      alreadyRunning
        ? `Cluster ${settings.name} is already running: nothing to do.`
        : `Cluster ${settings.name} is up (${seconds} s).`,
    )
    console.log(nextSteps(settings.name, settings.kubeconfig))
  })

const nextSteps = (name: string, kubeconfig: string) => `
kubectl's current context is now ${name} (in ${kubeconfig}). Try:

  kubectl get nodes
  kubectl create deployment web --image=k8ts.local/demo --replicas=3
  kubectl expose deployment web --port=80 --target-port=8080
  kubectl get pods -o wide

\`npm run status\` shows the components, \`npm run down\` stops the cluster.`
