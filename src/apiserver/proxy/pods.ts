import type { IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { type core, errors, type FieldError, StatusError } from '../../api/index.ts'
import { readTime } from '../../encoding/index.ts'
import type { Context } from '../pipeline/context.ts'
import { text } from '../pipeline/respond.ts'
import { get } from '../registry/get.ts'
import type { Call, Registry } from '../registry/registry.ts'
import { decodeEntry } from '../registry/served.ts'
import type { Verb } from '../registry/verbs.ts'
import { forward, forwardUpgrade } from './forward.ts'
import { type KubeletClient, kubelet } from './kubelet.ts'

const podOf = async (registry: Registry, call: Call) => decodeEntry<core.Pod>(await get(registry, call))

const names = (containers: { name: string }[] | undefined) => (containers ?? []).map(({ name }) => name)

/** The container that is asked for, or the only one that is no helper. Source: k8s.io/kubernetes/pkg/registry/core/pod strategy.go podContainer */
function containerOf({ spec, metadata: { name } }: core.Pod, wanted: string | null): string {
  const main = names(spec.containers)
  const all = [...names(spec.initContainers), ...main, ...names(spec.ephemeralContainers)]
  if (wanted) {
    if (all.includes(wanted)) return wanted
    throw errors.badRequest(`container ${wanted} is not valid for pod ${name}`)
  }
  if (main.length === 1) return main[0]!
  throw errors.badRequest(`a container name must be specified for pod ${name}, choose one of: [${all.join(' ')}]`)
}

/** `kubectl logs`. */
export const podLogs =
  (client: KubeletClient | undefined): Verb =>
  async (registry, call, context) => {
    const { query } = context
    checkLogOptions(call, query)
    const pod = await podOf(registry, call)
    const container = containerOf(pod, query.get('container'))
    // A pod that is nowhere yet has said nothing yet.
    if (!pod.spec.nodeName) return text(204, '', '')
    const passed = new URLSearchParams()
    for (const name of LOG_OPTIONS) if (query.has(name)) passed.set(name, query.get(name)!)
    const path = `/containerLogs/${call.namespace}/${call.name}/${container}${passed.size ? `?${passed}` : ''}`
    return forward(context, await kubelet(registry, pod.spec.nodeName, client, path), refuseErrors)
  }

const LOG_OPTIONS = ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'timestamps', 'tailLines', 'limitBytes']

function checkTime(given: string): void {
  try {
    readTime(given)
  } catch (error) {
    throw errors.badRequest((error as Error).message)
  }
}

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidatePodLogOptions */
function checkLogOptions({ name }: Call, query: URLSearchParams): void {
  const problems: FieldError[] = []
  for (const field of ['limitBytes', 'sinceSeconds', 'tailLines']) {
    const given = query.get(field)
    if (given !== null && !/^[-+]?\d+$/.test(given))
      throw errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(given)}: invalid syntax`)
  }
  const since = query.get('sinceTime')
  if (since !== null) checkTime(since)
  const atLeast = (field: string, least: number, detail: string) => {
    const given = query.get(field)
    if (given !== null && Number(given) < least) problems.push({ type: 'Invalid', field, value: Number(given), detail })
  }
  // One stream alone can be asked for behind a feature gate that is closed by default.
  if (query.has('stream')) problems.push({ type: 'Forbidden', field: 'stream', detail: 'may not be specified' })
  atLeast('tailLines', 0, 'must be greater than or equal to 0')
  atLeast('limitBytes', 1, 'must be greater than 0')
  if (query.has('sinceSeconds') && query.has('sinceTime'))
    problems.push({
      type: 'Forbidden',
      // So upstream writes that it is about the whole.
      field: '[]',
      detail: 'at most one of `sinceTime` or `sinceSeconds` may be specified',
    })
  else atLeast('sinceSeconds', 1, 'must be greater than 0')
  if (problems.length) throw errors.invalid({ group: '', kind: 'PodLogOptions' }, name, problems)
}

/** The kubelet answers in plain text; clients of the API expect a Status. Source: k8s.io/apiserver/pkg/registry/generic/rest response_checker.go */
async function refuseErrors(answer: IncomingMessage): Promise<void> {
  const code = answer.statusCode ?? 500
  if (code >= 200 && code < 300) return
  const message = (await readText(answer)).trim()
  if (code === 400) throw errors.badRequest(message)
  if (code === 500) throw errors.internal(message)
  throw new StatusError({
    status: 'Failure',
    message: `the server responded with the status code ${code} but did not return more information: ${message}`,
    reason: code === 404 ? 'NotFound' : '',
    code,
  })
}

/** The kubelet has its own names for the streams. Source: k8s.io/api/core/v1 ExecStdinParam and its kin */
const STREAMS: [string, string][] = [
  ['stdin', 'input'],
  ['stdout', 'output'],
  ['stderr', 'error'],
  ['tty', 'tty'],
]

function streamQuery(query: URLSearchParams): URLSearchParams {
  const passed = new URLSearchParams()
  for (const [from, to] of STREAMS) if (isTrue(query.get(from))) passed.set(to, '1')
  for (const command of query.getAll('command')) passed.append('command', command)
  return passed
}

const isTrue = (value: string | null) => value !== null && value !== 'false' && value !== '0'

const withoutHost = ({ metadata: { name } }: core.Pod) => errors.badRequest(`pod ${name} does not have a host assigned`)

async function toKubelet(
  registry: Registry,
  context: Context,
  pod: core.Pod,
  client: KubeletClient | undefined,
  path: string,
): Promise<undefined> {
  if (!pod.spec.nodeName) throw withoutHost(pod)
  const target = await kubelet(registry, pod.spec.nodeName, client, path)
  if (!context.upgrade) throw errors.badRequest('Upgrade request required')
  return forwardUpgrade(context, target)
}

/** `kubectl exec` and `kubectl attach`. */
export const podStreams =
  (kind: 'exec' | 'attach', client: KubeletClient | undefined): Verb =>
  async (registry, call, context) => {
    const { query } = context
    const pod = await podOf(registry, call)
    const container = containerOf(pod, query.get('container'))
    if (!pod.spec.nodeName) throw withoutHost(pod)
    if (kind === 'exec' && !query.getAll('command').length)
      throw errors.badRequest('you must specify at least 1 command for the container')
    if (!['stdin', 'stdout', 'stderr'].some(name => isTrue(query.get(name))))
      throw errors.badRequest('you must specify at least one of stdin, stdout, stderr')
    const path = `/${kind}/${call.namespace}/${call.name}/${container}?${streamQuery(query)}`
    return toKubelet(registry, context, pod, client, path)
  }

/** `kubectl port-forward`. */
export const podPortForward =
  (client: KubeletClient | undefined): Verb =>
  async (registry, call, context) => {
    const pod = await podOf(registry, call)
    const ports = context.query.getAll('ports')
    const query = ports.length ? `?${new URLSearchParams(ports.map(port => ['port', port]))}` : ''
    return toKubelet(registry, context, pod, client, `/portForward/${call.namespace}/${call.name}${query}`)
  }
