import { enableCompileCache } from 'node:module'
import { dirname, join } from 'node:path'

// Compiled code is kept beside the bundle; from source there is nothing worth keeping.
const script = process.argv[1] ?? ''
if (script.endsWith('.js')) enableCompileCache(join(dirname(script), 'compile-cache'))

/** Each loads only what it needs: a process pays for no other subcommand. */
const COMMANDS = {
  up: () => import('./up.ts'),
  down: () => import('./down.ts'),
  status: () => import('./status.ts'),
  image: () => import('./image.ts'),
  apiserver: () => import('./apiserver.ts'),
  etcd: () => import('./etcd.ts'),
  envtest: () => import('./envtest.ts'),
  'controller-manager': () => import('./controller-manager.ts'),
  scheduler: () => import('./scheduler.ts'),
  kubelet: () => import('./kubelet.ts'),
  proxy: () => import('./proxy.ts'),
  network: () => import('./network.ts'),
  dns: () => import('./dns.ts'),
  'control-loops': () => import('./control-loops.ts'),
  'node-services': () => import('./node-services.ts'),
}

const [command, ...args] = process.argv.slice(2)
try {
  if (command === 'supervise') await (await import('./supervise.ts')).run(args)
  else await (await import('./program.ts')).program(COMMANDS, process.argv.slice(2))
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
  // A half-started component may hold the process; an error ends it.
  setTimeout(() => process.exit(1), 100).unref()
}
