import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js'
import type { Clock, Logger } from '../../../base/index.ts'
import * as messages from './messages.ts'
import type { Message } from './protobuf.ts'

interface WatchOptions {
  stream<Out, In, _In>(
    path: string,
    request: Message<unknown, In>,
    response: Message<Out, _In>,
    value: In,
  ): ClientReadableStream<Out>
  onChange(id?: string): void
  signal: AbortSignal
  clock: Clock
  log: Logger
}

type Source = (options: WatchOptions) => ClientReadableStream<unknown>

/** CRI's own events, where the runtime has them (containerd 1.7, CRI-O 1.26). Source: KEP-3386 Evented PLEG. */
const criEvents: Source = ({ stream, onChange }) =>
  stream('/runtime.v1.RuntimeService/GetContainerEvents', messages.Empty, messages.ContainerEventResponse, {}).on(
    'data',
    (event: { containerId: string; containerEventType: number }) => {
      if (event.containerEventType === STOPPED) onChange(event.containerId)
    },
  )

/** Of CRI's ContainerEventType. The others follow from what the kubelet itself does. */
const STOPPED = 2

/** What containerd tells everybody on the same socket. */
const containerdEvents: Source = ({ stream, onChange }) => {
  const filters = ['namespace==k8s.io,topic=="/tasks/exit"']
  return stream('/containerd.services.events.v1.Events/Subscribe', messages.SubscribeRequest, messages.Envelope, {
    filters,
  }).on('data', (envelope: { event?: { value: Uint8Array } }) => {
    if (!envelope.event) return
    const { containerId, id } = messages.TaskExit.decode(envelope.event.value)
    // The end of an exec'ed process (each exec probe has one) is not the end of the container.
    if (id === containerId) onChange(containerId)
  })
}

const QUIET = 300

/**
 * Follows the runtime's events until the signal aborts, over lost connections. Resolves with whether there are any,
 * as soon as that is known.
 */
export async function watchRuntime(options: WatchOptions): Promise<boolean> {
  for (const source of [criEvents, containerdEvents]) {
    const failure = await firstFailure(source, options)
    if (failure === 'unsupported') continue
    void follow(source, options, failure)
    return true
  }
  return false
}

type Ending = Promise<'unsupported' | 'lost'>

/** Opens the stream; a runtime without it says so at once. */
async function firstFailure(source: Source, options: WatchOptions): Promise<'unsupported' | { ending: Ending }> {
  const ending = open(source, options)
  const quick = await Promise.race([ending, options.clock.sleep(QUIET).then(() => 'open' as const)])
  return quick === 'unsupported' ? 'unsupported' : { ending }
}

async function follow(source: Source, options: WatchOptions, first: { ending: Ending }): Promise<void> {
  const { signal, clock, log, onChange } = options
  let { ending } = first
  for (;;) {
    await ending
    if (signal.aborted) return
    log.warn({}, 'lost the event stream of the container runtime')
    await clock.sleep(1_000, signal).catch(() => {})
    if (signal.aborted) return
    ending = open(source, options)
    // What happened in between is found by looking.
    onChange()
  }
}

function open(source: Source, options: WatchOptions): Ending {
  return new Promise(resolve => {
    const events = source(options)
    const cancel = () => events.cancel()
    options.signal.addEventListener('abort', cancel, { once: true })
    const end = (error?: ServiceError) => {
      options.signal.removeEventListener('abort', cancel)
      resolve(error?.code === status.UNIMPLEMENTED ? 'unsupported' : 'lost')
    }
    events.on('error', end)
    events.on('end', () => end())
    if (options.signal.aborted) cancel()
  })
}
