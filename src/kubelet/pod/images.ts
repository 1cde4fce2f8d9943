import type { core } from '../../api/index.ts'
import { formatDuration } from '../../api/index.ts'
import type { Clock } from '../../base/index.ts'
import type { Image, RegistryAuth, Runtime, SandboxConfig } from '../runtime/runtime.ts'
import { Backoffs } from './backoff.ts'
import { pullPolicyOf, withDefaultTag } from './spec.ts'

/** A container that cannot start yet; the reason becomes its waiting reason. */
export class StartError extends Error {
  override name = 'StartError'
  readonly reason: string
  /** When to try again, in milliseconds; the worker's own backoff otherwise. */
  readonly retryAfter: number | undefined

  constructor(reason: string, message: string, retryAfter?: number) {
    super(message)
    this.reason = reason
    this.retryAfter = retryAfter
  }
}

export interface ImageOptions {
  runtime: Runtime
  clock: Clock
  maxParallelPulls: number
}

export interface ImageRequest {
  pod: core.Pod
  container: core.Container
  sandbox: SandboxConfig
  /** The logins of the pod's imagePullSecrets for this image, best first. */
  auths(): Promise<RegistryAuth[]>
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
}

const PULL_BACKOFF = { first: 10_000, most: 300_000 }
/** Names of this registry are on the node or nowhere. */
const LOCAL = 'k8ts.local/'

/** Gets images onto the node, by pull policy. Source: pkg/kubelet/images/image_manager.go */
export class Images {
  readonly #options: ImageOptions
  readonly #backoffs: Backoffs
  readonly #waiting: (() => void)[] = []
  #pulling = 0

  constructor(options: ImageOptions) {
    this.#options = options
    this.#backoffs = new Backoffs(PULL_BACKOFF, options.clock)
  }

  /** Resolves with the image and the reference to create a container from; rejects with a StartError. */
  async ensure(request: ImageRequest): Promise<{ image: Image | undefined; ref: string }> {
    const { runtime } = this.#options
    const { container, event } = request
    const name = container.image ?? ''
    const image = withDefaultTag(name)
    if (!validName(name)) {
      const message = `Failed to apply default image tag "${name}": couldn't parse image name "${name}": invalid reference format`
      event('Warning', 'InspectFailed', message)
      throw new StartError('InvalidImageName', message)
    }
    const present = await runtime.imageStatus(image).catch((error: Error) => {
      const message = `Failed to inspect image "${name}": ${error.message}`
      event('Warning', 'InspectFailed', message)
      throw new StartError('ImageInspectError', message)
    })
    const policy = pullPolicyOf(container)
    if (present && (policy !== 'Always' || image.startsWith(LOCAL))) {
      event('Normal', 'Pulled', `Container image "${name}" already present on machine and can be accessed by the pod`)
      return { image: present, ref: present.id }
    }
    if (policy === 'Never') {
      const message = `Container image "${name}" is not present with pull policy of Never`
      event('Warning', 'ErrImageNeverPull', message)
      throw new StartError('ErrImageNeverPull', message)
    }
    return this.#pull(request, image)
  }

  /** Forgets failures that nobody asks about any more. */
  collect(): void {
    this.#backoffs.collect()
  }

  async #pull(request: ImageRequest, image: string): Promise<{ image: Image | undefined; ref: string }> {
    const { runtime, clock } = this.#options
    const { pod, container, event } = request
    const key = `${pod.metadata.uid}/${image}`
    const failure = this.#backoffs.remaining(key)
    if (failure) {
      const message = `Back-off pulling image "${container.image}"`
      event('Normal', 'BackOff', message)
      throw new StartError('ImagePullBackOff', `${message}: ${failure.message}`, failure.wait)
    }
    event('Normal', 'Pulling', `Pulling image "${container.image}"`)
    const asked = clock.monotonic()
    const release = await this.#turn()
    const began = clock.monotonic()
    try {
      const ref = await this.#pullWithAny(request, image)
      const found = await runtime.imageStatus(ref).catch(() => undefined)
      const [took, waited] = [began, asked].map(start => formatDuration(Math.round(clock.monotonic() - start)))
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${container.image}" in ${took} (${waited} including waiting). Image size: ${found?.size ?? 0} bytes.`,
      )
      this.#backoffs.forget(key)
      return { image: found, ref }
    } catch (error) {
      const { message } = error as Error
      event('Warning', 'Failed', `Failed to pull image "${container.image}": ${message}`)
      this.#backoffs.failed(key, `ErrImagePull: ${message}`)
      // The next look comes soon, and shows that the next pull does not: ImagePullBackOff.
      throw new StartError('ErrImagePull', message)
    } finally {
      release()
    }
  }

  async #pullWithAny({ auths, sandbox }: ImageRequest, image: string): Promise<string> {
    const { runtime } = this.#options
    if (image.startsWith(LOCAL))
      throw new Error(`image "${image}" is not on this node: load it with "k8ts image import"`)
    const logins = await auths()
    let last: unknown
    for (const auth of logins.length > 0 ? logins : [undefined]) {
      try {
        return await runtime.pullImage(image, auth, sandbox)
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  /** Waits until fewer than the allowed number of pulls run; returns what ends this one. */
  async #turn(): Promise<() => void> {
    if (this.#pulling < this.#options.maxParallelPulls) this.#pulling++
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    return () => {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#pulling--
    }
  }
}

/** Repository names are lower case. Source: github.com/distribution/reference */
const REFERENCE =
  /^(?:(?:localhost|[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|[a-zA-Z0-9.-]+:\d+|\[[a-fA-F0-9:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/

const validName = (name: string): boolean => REFERENCE.test(name)
