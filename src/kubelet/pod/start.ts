import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type core, formatDuration } from '../../api/index.ts'
import type { Image, Mount, RegistryAuth, SandboxConfig } from '../runtime/runtime.ts'
import { registryAuths } from './auth.ts'
import { containerConfig, terminationMessagePath } from './container-config.ts'
import { type PodContext, tell } from './context.ts'
import { ContainerConfigError, environment } from './env.ts'
import { runHook } from './hooks.ts'
import { writeHosts } from './hosts.ts'
import { StartError } from './images.ts'
import { killContainer } from './kill.ts'
import { formatPod } from './spec.ts'
import { latest, type PodState } from './state.ts'

export interface StartOptions {
  sandboxId: string
  sandbox: SandboxConfig
  podIps: string[]
  state: PodState
  image: { image: Image | undefined; ref: string }
  /** Told the container's id before it starts: it may end at once. */
  onCreated(id: string): void
}

/** Creates and starts one container; rejects with a StartError that says what its status shows. */
export async function startContainer(
  context: PodContext,
  pod: core.Pod,
  container: core.Container,
  options: StartOptions,
): Promise<void> {
  const { runtime } = context
  const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    tell(context, pod, type, reason, message, container.name)
  const fail = (reason: string, error: Error): never => {
    say('Warning', 'Failed', `Error: ${error.message}`)
    throw new StartError(reason, error.message)
  }
  const id = await create(context, pod, container, options).catch((error: Error) =>
    fail(error instanceof ContainerConfigError ? error.reason : 'CreateContainerError', error),
  )
  options.onCreated(id)
  say('Normal', 'Created', 'Container created')
  await runtime.startContainer(id).catch((error: Error) => fail('RunContainerError', error))
  say('Normal', 'Started', 'Container started')
  await postStart(context, pod, container, id, options.podIps[0] ?? '')
}

async function create(
  context: PodContext,
  pod: core.Pod,
  container: core.Container,
  { sandboxId, sandbox, podIps, state, image }: StartOptions,
): Promise<string> {
  const { runtime, objects, nodeIps, nodeName, allocatable } = context
  const variables = await environment(pod, container, {
    configMap: name => objects.configMap(pod, name),
    secret: name => objects.secret(pod, name),
    services: await context.services(),
    podIps,
    nodeIps,
    nodeName,
    allocatable,
  })
  const restartCount = nextRestartCount(pod, container, state)
  const config = containerConfig(pod, container, {
    restartCount,
    environment: variables,
    image: image.image,
    imageRef: image.ref,
    mounts: await mountsOf(context, pod, container, variables, podIps),
    node: context.limits,
    rootDir: context.rootDir,
    seccompDefault: context.config.seccompDefault,
    targetId: targetOf(container, state),
  })
  await mkdir(join(sandbox.logDirectory, container.name), { recursive: true, mode: 0o755 })
  return await runtime.createContainer(sandboxId, config, sandbox)
}

function targetOf(container: core.Container, state: PodState): string | undefined {
  const { targetContainerName } = container as core.EphemeralContainer
  return targetContainerName ? latest(state, targetContainerName)?.id : undefined
}

/** One more than the last of its name; its containers may have been removed meanwhile. */
function nextRestartCount(pod: core.Pod, { name }: core.Container, state: PodState): number {
  const last = latest(state, name)
  if (last) return last.restartCount + 1
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
  const known = [...containerStatuses, ...initContainerStatuses].find(status => status.name === name)
  return known?.containerID ? known.restartCount + 1 : 0
}

async function mountsOf(
  { volumes, config, random }: PodContext,
  pod: core.Pod,
  container: core.Container,
  variables: Map<string, string>,
  podIps: string[],
): Promise<Mount[]> {
  const mounts = await volumes.mountsOf(pod, container, variables)
  const own = (containerPath: string, hostPath: string): Mount => ({
    containerPath,
    hostPath,
    readonly: false,
    propagation: 'None',
  })
  const podDir = volumes.podDir(pod.metadata.uid)
  if (!mounts.some(({ containerPath }) => containerPath === '/etc/hosts')) {
    const hosts = join(podDir, 'etc-hosts')
    await writeHosts(hosts, pod, podIps, config.clusterDomain)
    mounts.push(own('/etc/hosts', hosts))
  }
  const folder = join(podDir, 'containers', container.name)
  const log = join(folder, random.suffix(8))
  await mkdir(folder, { recursive: true, mode: 0o750 })
  await writeFile(log, '', { mode: 0o666 })
  mounts.push(own(terminationMessagePath(container), log))
  return mounts
}

async function postStart(
  context: PodContext,
  pod: core.Pod,
  container: core.Container,
  containerId: string,
  podIp: string,
): Promise<void> {
  const handler = container.lifecycle?.postStart
  if (!handler) return
  const { runtime, clock, state } = context
  try {
    await runHook(handler, { runtime, clock, containerId, container, podIp })
  } catch (error) {
    tell(context, pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', container.name)
    const found = latest(await state.read(pod), container.name)
    if (found?.state === 'running') await killContainer(context, pod, found, { message: 'FailedPostStartHook' })
    throw new StartError('PostStartHookError', (error as Error).message)
  }
}

/** The logins that the pod brings for an image. Secrets that are missing are told of, and do without. */
export async function authsOf(context: PodContext, pod: core.Pod, image: string): Promise<RegistryAuth[]> {
  const secrets: core.Secret[] = []
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const secret = await context.objects.secret(pod, name).catch(() => undefined)
    if (secret) secrets.push(secret)
    else
      tell(
        context,
        pod,
        'Warning',
        'FailedToRetrieveImagePullSecret',
        `Unable to retrieve some image pull secrets (${name}); attempting to pull the image may not succeed.`,
      )
  }
  return registryAuths(secrets, image)
}

/** The refusal to restart a container again so soon. */
export function crashLoop(
  context: PodContext,
  pod: core.Pod,
  container: core.Container,
  wait: number,
  left: number,
): StartError {
  tell(
    context,
    pod,
    'Warning',
    'BackOff',
    `Back-off restarting failed container ${container.name} in pod ${formatPod(pod)}`,
    container.name,
  )
  const message = `back-off ${formatDuration(wait)} restarting failed container=${container.name} pod=${formatPod(pod)}`
  return new StartError('CrashLoopBackOff', message, left)
}
