import { chmod, chown, lchown, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type core, quantity } from '../../api/index.ts'
import type { Clock, Logger } from '../../base/index.ts'
import { subPathOf } from '../pod/env.ts'
import type { Mount } from '../runtime/runtime.ts'
import { writeAtomically } from './atomic-writer.ts'
import { bindSubPath, mountsBelow, mountTmpfs, unmountBelow } from './mounts.ts'
import { type PayloadSources, payloadOf } from './payload.ts'

export interface VolumesOptions {
  /** Below it each pod has a folder by its uid. */
  podsDir: string
  sources: PayloadSources
  clock: Clock
  log: Logger
}

/** A volume that could not be made ready, with upstream's text. */
export class MountError extends Error {
  override name = 'MountError'
}

/** A pod's volumes on this node: made, kept true to what they show, and taken away with the pod. */
export class Volumes {
  readonly #options: VolumesOptions
  /** Pods whose volumes that never change again have been made since this process started. */
  readonly #made = new Set<string>()

  constructor(options: VolumesOptions) {
    this.#options = options
  }

  podDir(uid: string): string {
    return join(this.#options.podsDir, uid)
  }

  /** Makes what is missing and refreshes what shows API objects. Rejects with a MountError for the first that fails. */
  async setUp(pod: core.Pod): Promise<void> {
    const { uid } = pod.metadata
    await mkdir(this.podDir(uid), { recursive: true, mode: 0o750 })
    await Promise.all(
      (pod.spec.volumes ?? []).map(volume =>
        this.#setUpOne(pod, volume).catch((error: Error) => {
          throw new MountError(`MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`)
        }),
      ),
    )
    this.#made.add(uid)
  }

  /** Where the runtime finds what the container mounts. */
  async mountsOf(pod: core.Pod, container: core.Container, environment: Map<string, string>): Promise<Mount[]> {
    const mounts: Mount[] = []
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = pod.spec.volumes?.find(({ name }) => name === mount.name)
      if (!volume) throw new Error(`volume "${mount.name}" not found`)
      const path = this.#pathOf(pod, volume)
      const subPath = subPathOf(mount, environment)
      mounts.push({
        containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
        hostPath: subPath ? await this.#subPath(pod, container, mount.name, index, path, subPath) : path,
        readonly: Boolean(mount.readOnly) || showsObjects(volume),
        propagation: mount.mountPropagation ?? 'None',
      })
    }
    return mounts
  }

  /** Unmounts and deletes all that the pod had here. */
  async tearDown(uid: string): Promise<void> {
    const folder = this.podDir(uid)
    this.#made.delete(uid)
    await unmountBelow(folder)
    // Never delete through a mount: it may be somebody's data.
    if ((await mountsBelow(folder)).length > 0) throw new Error(`mounts are left below ${folder}`)
    await rm(folder, { recursive: true, force: true })
  }

  /** The uids of pods that have something here. */
  async pods(): Promise<string[]> {
    return await readdir(this.#options.podsDir).catch(() => [])
  }

  #pathOf(pod: core.Pod, volume: core.Volume): string {
    if (volume.hostPath) return volume.hostPath.path
    return join(this.podDir(pod.metadata.uid), 'volumes', `kubernetes.io~${kindOf(volume)}`, volume.name)
  }

  async #setUpOne(pod: core.Pod, volume: core.Volume): Promise<void> {
    const path = this.#pathOf(pod, volume)
    const made = this.#made.has(pod.metadata.uid)
    if (volume.hostPath) {
      if (!made) await checkHostPath(volume.hostPath)
    } else if (volume.emptyDir) {
      if (!made) await this.#emptyDir(pod, volume.emptyDir, path)
    } else if (showsObjects(volume)) await this.#showObjects(pod, volume, path)
    else throw new Error(`no volume plugin matched name: ${kindOf(volume)}`)
  }

  async #emptyDir(pod: core.Pod, { medium, sizeLimit }: core.EmptyDirVolumeSource, path: string): Promise<void> {
    const fresh = (await mkdir(path, { recursive: true, mode: 0o777 })) !== undefined
    if (medium === 'Memory') await mountTmpfs(path, sizeLimit ? quantity.value(sizeLimit) : undefined)
    if (!fresh) return
    await chmod(path, 0o777)
    const { fsGroup } = pod.spec.securityContext ?? {}
    if (fsGroup !== undefined) await giveToGroup(path, fsGroup)
  }

  async #showObjects(pod: core.Pod, volume: core.Volume, path: string): Promise<void> {
    const { sources, clock } = this.#options
    const [payload] = await Promise.all([payloadOf(pod, volume, sources), this.#folderFor(volume, path)])
    const stamp = `${new Date(clock.now()).toISOString().replace(/\D/g, '_')}.${Math.floor(clock.monotonic() * 1000)}`
    await writeAtomically(path, payload!, stamp, pod.spec.securityContext?.fsGroup)
  }

  /** What is secret never reaches a disk. */
  async #folderFor(volume: core.Volume, path: string): Promise<void> {
    const fresh = (await mkdir(path, { recursive: true, mode: 0o755 })) !== undefined
    if (fresh) await chmod(path, 0o777)
    if (volume.secret || volume.projected) await mountTmpfs(path)
  }

  async #subPath(
    pod: core.Pod,
    container: core.Container,
    volumeName: string,
    index: number,
    path: string,
    subPath: string,
  ): Promise<string> {
    const target = join(this.podDir(pod.metadata.uid), 'volume-subpaths', volumeName, container.name, String(index))
    try {
      await bindSubPath(path, subPath, target)
    } catch (error) {
      throw new Error(
        `failed to prepare subPath for volumeMount "${volumeName}" of container "${container.name}": ${(error as Error).message}`,
      )
    }
    return target
  }
}

const showsObjects = ({ configMap, secret, downwardAPI, projected }: core.Volume): boolean =>
  Boolean(configMap || secret || downwardAPI || projected)

/** As upstream names the folders of its volume plugins. */
const PLUGIN_NAMES: Record<string, string> = {
  configMap: 'configmap',
  downwardAPI: 'downward-api',
  emptyDir: 'empty-dir',
}

function kindOf(volume: core.Volume): string {
  const kind = Object.keys(volume).find(key => key !== 'name') ?? 'empty-dir'
  return PLUGIN_NAMES[kind] ?? kind
}

/** Source: https://kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types */
async function checkHostPath({ path, type = '' }: core.HostPathVolumeSource): Promise<void> {
  if (type === '') return
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
  const found = await stat(path).catch(() => undefined)
  if (type === 'FileOrCreate' && !found) {
    await stat(dirname(path))
    await writeFile(path, '', { mode: 0o644, flag: 'a' })
    return
  }
  const fits = {
    DirectoryOrCreate: found?.isDirectory(),
    Directory: found?.isDirectory(),
    FileOrCreate: found?.isFile(),
    File: found?.isFile(),
    Socket: found?.isSocket(),
    CharDevice: found?.isCharacterDevice(),
    BlockDevice: found?.isBlockDevice(),
  }[type]
  if (!fits) throw new Error(`hostPath type check failed: ${path} is not a ${HOST_PATH_NAMES[type]}`)
}

const HOST_PATH_NAMES = {
  DirectoryOrCreate: 'directory',
  Directory: 'directory',
  FileOrCreate: 'file',
  File: 'file',
  Socket: 'socket file',
  CharDevice: 'character device',
  BlockDevice: 'block device',
}

/** Source: pkg/volume/volume_linux.go, SetVolumeOwnership */
async function giveToGroup(path: string, group: number): Promise<void> {
  const found = await stat(path)
  await chown(path, -1, group).catch(() => lchown(path, found.uid, group))
  await chmod(path, (found.mode & 0o7777) | (found.isDirectory() ? 0o2770 : 0o660))
}
