import type { Clock, Logger, Random } from '../base/index.ts'
import { type Client, EventRecorder, type Informers } from '../client/index.ts'

/** What every controller is handed. The informers are shared by all of them. */
export interface Context {
  client: Client
  informers: Informers
  clock: Clock
  random: Random
  log: Logger
}

/** Events that say they come from `component`. */
export const recorderOf = ({ client, clock, random, log }: Context, component: string): EventRecorder =>
  new EventRecorder({ client, component, clock, random, log })
