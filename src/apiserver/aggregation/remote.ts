import type { IncomingMessage } from 'node:http'
import { type Agent, request } from 'node:https'
import {
  type apiregistration,
  findCondition,
  type Resource,
  resources,
  type Subresource,
  withCondition,
} from '../../api/index.ts'
import type { Timer } from '../../base/index.ts'
import type { RemoteOpenApi } from '../openapi/remote.ts'
import { type Address, readyEndpoints, resolveService, slicesOf } from '../proxy/endpoints.ts'
import { ownCall, type Registry } from '../registry/registry.ts'
import { update } from '../registry/update.ts'
import { readAtMost } from '../webhook/client.ts'
import { goError } from '../webhook/go-errors.ts'

type APIService = apiregistration.APIService
type Condition = apiregistration.APIServiceCondition

/** How this server shows itself to those that it passes requests on to; PEM. */
export interface ProxyClient {
  cert: string
  key: string
}

/** Milliseconds. Source: k8s.io/kube-aggregator/pkg/controllers/status/remote */
const RESYNC = 30_000
const FIRST_RETRY = 250
const PROBE_TIMEOUT = 5000
/** Bytes of a document of discovery. */
const MAX_DOCUMENT = 4 * 1024 * 1024

type Documents = Pick<RemoteOpenApi, 'url' | 'v2'>

type Judgement = Pick<Condition, 'status' | 'reason' | 'message'>

/** One group version that another server serves: whether it can be reached, and what it has. */
export class RemoteService {
  readonly spec: apiregistration.APIServiceSpec
  readonly name: string
  /** As its discovery last showed them. */
  served: Resource[] = []
  /** What it says of its types, as it last did. */
  openApi: Documents = {}
  readonly #registry: Registry
  readonly #client: ProxyClient | undefined
  readonly #agent: Agent
  readonly #changed: () => void
  readonly #watches: { close(): void }[] = []
  #timer: Timer | undefined
  #retry = FIRST_RETRY
  #checking = false
  #again = false
  #stopped = false
  /** Whether requests are passed on. */
  available = false

  /** `changed` is called when it has become available or not, or has other resources. */
  constructor(
    registry: Registry,
    { metadata, spec, status }: APIService,
    { client, agent, changed }: { client?: ProxyClient; agent: Agent; changed: () => void },
  ) {
    this.#registry = registry
    this.#client = client
    this.#agent = agent
    this.#changed = changed
    this.name = metadata.name
    this.spec = spec
    this.available = findCondition(status.conditions, 'Available')?.status === 'True'
  }

  /** Looks at once, whenever its Service or that one's endpoints change, and from time to time. */
  async start(): Promise<void> {
    const { store, served } = this.#registry
    const { name, namespace } = this.spec.service!
    const after = await store.revision()
    if (this.#stopped) return
    // Should a watch break, the next look is still taken in time.
    const again = { changes: () => this.check(), failed: () => {} }
    for (const prefix of [
      `${served(resources.services).prefix}${namespace}/${name}`,
      `${served(resources.endpointSlices).prefix}${namespace}/`,
    ])
      this.#watches.push(store.watch(prefix, after, again))
    this.check()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    for (const watch of this.#watches) watch.close()
  }

  check(): void {
    this.#again = true
    if (!this.#checking && !this.#stopped) void this.#checkAll()
  }

  async #checkAll(): Promise<void> {
    this.#checking = true
    this.#timer?.cancel()
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false
        await this.#apply(await this.#judge())
      }
    } catch (error) {
      this.#registry.log.warn({ error, apiService: this.name }, 'could not check')
    }
    this.#checking = false
    this.#retry = this.available ? FIRST_RETRY : Math.min(this.#retry * 2, RESYNC)
    if (!this.#stopped)
      this.#timer = this.#registry.clock.after(this.available ? RESYNC : this.#retry, () => this.check())
  }

  async #judge(): Promise<Judgement> {
    const { name = '', namespace = '', port = 443 } = this.spec.service!
    const about = `service/${name} in ${JSON.stringify(namespace)}`
    const service = await this.#registry.reader.read(resources.services, namespace, name)
    if (!service) return refused('ServiceNotFound', `${about} is not present`)
    if (service.spec.type === 'ClusterIP') {
      const found = service.spec.ports?.find(each => each.port === port)
      if (!found) return refused('ServicePortError', `${about} is not listening on port ${port}`)
      if (!(await slicesOf(this.#registry, namespace, name)).length)
        return refused('EndpointsNotFound', `cannot find endpointslices for ${about}`)
      if (!(await readyEndpoints(this.#registry, service, found.name ?? '')).length)
        return refused(
          'MissingEndpoints',
          `endpointslices for ${about} have no addresses with port name ${JSON.stringify(found.name ?? '')}`,
        )
    }
    const problem = await this.#probe()
    return problem
      ? refused('FailedDiscoveryCheck', problem)
      : { status: 'True', reason: 'Passed', message: 'all checks passed' }
  }

  /** Asks for what every server of a group version has to serve; returns what is wrong. */
  async #probe(): Promise<string | undefined> {
    const { group, version, service } = this.spec
    const path = `/apis/${group}/${version}`
    const { namespace = '', name = '', port } = service!
    try {
      const address = await resolveService(this.#registry, namespace, name, port)
      const url = `https://${address.host}:${address.port}${path}`
      const document = await this.#get(address, path).catch((error: Error) => {
        const reason =
          error instanceof BadStatus ? error.message : `Get ${JSON.stringify(url)}: ${goError(error, name)}`
        throw new Error(`failing or missing response from ${url}: ${reason}`)
      })
      this.#learn(document)
      await this.#learnTypes(address)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  /** Many servers say nothing of them, which is no fault. */
  async #learnTypes(address: Address): Promise<void> {
    const { group, version } = this.spec
    const place = `apis/${group}/${version}`
    const read = (path: string) =>
      this.#get(address, path, 'system:aggregator').then(
        text => JSON.parse(text) as Record<string, Record<string, unknown>>,
        () => ({}) as Record<string, Record<string, unknown>>,
      )
    const [root, whole] = [await read('/openapi/v3'), await read('/openapi/v2')]
    const { serverRelativeURL: url } = (root.paths?.[place] ?? {}) as { serverRelativeURL?: string }
    const own = Object.entries(whole.paths ?? {}).filter(([path]) => `${path}/`.startsWith(`/${place}/`))
    const before = JSON.stringify(this.openApi)
    this.openApi = {
      ...(url ? { url } : {}),
      ...(own.length ? { v2: { paths: Object.fromEntries(own), definitions: whole.definitions ?? {} } } : {}),
    }
    if (JSON.stringify(this.openApi) !== before) this.#changed()
  }

  #get(address: Address, path: string, user = 'system:kube-aggregator'): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request({
        ...address,
        ...this.#client,
        path,
        agent: this.#agent,
        timeout: PROBE_TIMEOUT,
        // Upstream does not look at the certificate here either: nothing secret is said.
        rejectUnauthorized: false,
        headers: {
          Accept: 'application/json',
          'X-Remote-User': user,
          'X-Remote-Group': 'system:masters',
        },
      })
      sent.once('timeout', () => sent.destroy(new Error('context deadline exceeded')))
      sent.once('error', reject)
      sent.once('response', (answer: IncomingMessage) => {
        const status = answer.statusCode ?? 0
        if (status >= 200 && status < 300)
          return void readAtMost(MAX_DOCUMENT, answer).then(body => resolve(body.toString()), reject)
        answer.resume()
        reject(new BadStatus(`bad status from https://${address.host}:${address.port}${path}: ${status}`))
      })
      sent.end()
    })
  }

  #learn(document: string): void {
    const before = JSON.stringify(this.served)
    this.served = resourcesIn(document, this.spec)
    if (this.available && JSON.stringify(this.served) !== before) this.#changed()
  }

  async #apply(judgement: Judgement): Promise<void> {
    const available = judgement.status === 'True'
    if (available !== this.available) {
      this.available = available
      this.#changed()
    }
    const { clock, served, reader } = this.#registry
    const present = await reader.read(resources.apiServices, '', this.name)
    if (!present || this.#stopped) return
    const found = findCondition(present.status.conditions, 'Available')
    if (found?.status === judgement.status && found.reason === judgement.reason && found.message === judgement.message)
      return
    const condition = {
      type: 'Available',
      lastTransitionTime: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
      ...judgement,
    }
    const call = { ...ownCall(served(resources.apiServices) as never, '', this.name), subresource: 'status' }
    const change = (old: unknown) => {
      const object = old as APIService
      object.status.conditions = withCondition(object.status.conditions, condition)
      return object
    }
    await update(this.#registry, call, change, { relative: true })
  }
}

class BadStatus extends Error {}

const refused = (reason: string, message: string): Judgement => ({ status: 'False', reason, message })

interface Listed {
  name: string
  singularName?: string
  namespaced?: boolean
  kind: string
  group?: string
  version?: string
  verbs?: string[]
  shortNames?: string[]
  categories?: string[]
}

/** The resources of an APIResourceList; whatever is no such document has none. */
function resourcesIn(document: string, { group = '', version = '' }: apiregistration.APIServiceSpec): Resource[] {
  let listed: Listed[]
  try {
    listed = (JSON.parse(document) as { resources?: Listed[] }).resources ?? []
  } catch {
    return []
  }
  const whole = listed.filter(({ name }) => !name.includes('/'))
  return whole.map(({ name, kind, singularName, namespaced, verbs, shortNames, categories }) => ({
    group,
    version,
    resource: name,
    singular: singularName ?? '',
    kind,
    namespaced: namespaced ?? false,
    shortNames: shortNames ?? [],
    categories: categories ?? [],
    verbs: verbs ?? [],
    subresources: listed.filter(each => each.name.startsWith(`${name}/`)).map(subresourceOf),
    type: '',
  }))
}

const subresourceOf = ({ name, kind, group, version, verbs }: Listed): Subresource => ({
  name: name.slice(name.indexOf('/') + 1),
  kind,
  verbs: verbs ?? [],
  ...(version ? { group: group ?? '', version } : {}),
})
