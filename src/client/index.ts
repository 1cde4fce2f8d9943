/** Everything a component uses to talk to the API server, and nothing else. */
export { Backoff } from './backoff.ts'
export { keyOf, type Lister, refOf } from './cache.ts'
export type {
  Client,
  DeleteOptions,
  List,
  ListOptions,
  Patch,
  Ref,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts'
export { type ClientOptions, connect } from './connect.ts'
export {
  type Controller,
  type ControllerOptions,
  from,
  type Reconcile,
  type Source,
  startController,
} from './controller.ts'
export { TransportError } from './errors.ts'
export { EventRecorder, type EventRecorderOptions, referenceTo } from './events.ts'
export { Expectations } from './expectations.ts'
export { type Informer, type InformerHandlers, Informers } from './informer.ts'
export { inClusterConfig, type Kubeconfig, loadKubeconfig } from './kubeconfig.ts'
export { LeaderElector, type LeaseOptions } from './lease.ts'
export { exponentialRateLimiter, type RateLimiter, WorkQueue } from './work-queue.ts'
