/** Everything a component uses to talk to the API server, and nothing else. */
export { type Client, type ClientOptions, connect, type DeleteOptions, type List, type ListOptions, type Patch, type Ref, type WatchEvent, type WatchOptions } from './client.ts'
export { type Kubeconfig, loadKubeconfig } from './kubeconfig.ts'
export { type Informer, type InformerHandlers, Informers, type Lister } from './informer.ts'
export { type RateLimiter, WorkQueue } from './work-queue.ts'
export { type Controller, type ControllerOptions, type Reconcile, startController } from './controller.ts'
export { EventRecorder } from './events.ts'
export { LeaderElector, type LeaseOptions } from './lease.ts'
export { Expectations } from './expectations.ts'
