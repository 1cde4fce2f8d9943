import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface TestContainerd {
  endpoint: string
  /** Below which the test's pods are to have their cgroups; removed at the end. */
  cgroupRoot: string
  root: string
  cniConfDir: string
  stop(): Promise<void>
}

export const PAUSE = 'k8ts.local/pause:test'
export const BUSYBOX = 'k8ts.local/busybox:test'

/** Why real containers cannot run here, or undefined when they can. */
export function noContainers(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const file of ['/usr/bin/containerd', '/usr/sbin/runc', '/usr/lib/cni/bridge', '/bin/busybox'])
    if (!existsSync(file)) return `needs ${file}`
  return undefined
}

/** A containerd of the test's own, with a bridge network and two images, that needs no network outside. */
export async function startContainerd(): Promise<TestContainerd> {
  const root = await mkdtemp(join(tmpdir(), 'kct-'))
  const name = root.slice(-6).toLowerCase()
  const socket = join(root, 's.sock')
  const cniConfDir = join(root, 'cni')
  await mkdir(cniConfDir)
  await writeFile(join(cniConfDir, '10-test.conflist'), network(root, name))
  await writeFile(join(root, 'config.toml'), configuration(root, socket, cniConfDir))
  const daemon = spawn('/usr/bin/containerd', ['--config', join(root, 'config.toml')], { stdio: 'ignore' })
  const exited = new Promise(resolve => daemon.once('exit', resolve))
  const stop = async () => {
    daemon.kill('SIGTERM')
    await exited
    await killShims(socket)
    await unmountBelow(root)
    await removeCgroups(join('/', basename(root)))
    await run('ip', ['link', 'delete', `kct-${name}`]).catch(() => {})
    await rm(root, { recursive: true, force: true })
  }
  try {
    await untilReady(socket)
    await importBusybox(root, socket, PAUSE, ['/bin/sleep', '1000000000'])
    await importBusybox(root, socket, BUSYBOX, ['/bin/sh'])
  } catch (error) {
    await stop()
    throw error
  }
  return { endpoint: `unix://${socket}`, cgroupRoot: join('/', basename(root)), root, cniConfDir, stop }
}

async function untilReady(socket: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const failure = await run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'ls']).then(
      () => undefined,
      error => error,
    )
    if (!failure) return
    if (attempt === 100) throw failure
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** A containerd that ends leaves its containers running; a test does not. */
async function killShims(socket: string): Promise<void> {
  const shims: number[] = []
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes('containerd-shim') && command.split('\0').includes(socket)) shims.push(Number(pid))
  }
  for (const shim of shims) for (const pid of [...(await descendants(shim)), shim]) kill(pid)
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const children = text.split(' ').filter(Boolean).map(Number)
  return (await Promise.all(children.map(async child => [child, ...(await descendants(child))]))).flat()
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** Removes the cgroups below a path, in every hierarchy; what is still busy stays. */
async function removeCgroups(path: string): Promise<void> {
  const hierarchies = (await readdir('/sys/fs/cgroup', { withFileTypes: true })).filter(entry => entry.isDirectory())
  for (const root of ['/sys/fs/cgroup', ...hierarchies.map(({ name }) => join('/sys/fs/cgroup', name))])
    await run('find', [`${root}${path}`, '-depth', '-type', 'd', '-delete']).catch(() => {})
}

async function unmountBelow(root: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map(line => line.split(' ')[4] ?? '')
  for (const mount of mounts.filter(path => path.startsWith(`${root}/`)).reverse())
    await run('umount', ['-l', mount]).catch(() => {})
}

const configuration = (root: string, socket: string, cniConfDir: string) => `
version = 2
root = "${root}/root"
state = "${root}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "/usr/sbin/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${cniConfDir}"
`

/** A subnet of its own for each test run, so that two runs on one machine do not meet. */
function network(root: string, name: string): string {
  const subnet = createHash('sha256').update(name).digest()
  const prefix = `10.${200 + (subnet[0]! % 50)}.${subnet[1]}`
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: `kct-${name}`,
    plugins: [
      {
        type: 'bridge',
        bridge: `kct-${name}`,
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: join(root, 'ipam'),
          ranges: [[{ subnet: `${prefix}.0/24` }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  })
}

/** Writes an OCI archive around the machine's static busybox, and imports it. */
async function importBusybox(root: string, socket: string, name: string, command: string[]): Promise<void> {
  const work = await mkdtemp(join(root, 'image-'))
  const files = join(work, 'rootfs')
  for (const folder of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev'])
    await mkdir(join(files, folder), { recursive: true })
  await copyFile('/bin/busybox', join(files, 'bin/busybox'))
  const applets = [
    'sh',
    'sleep',
    'cat',
    'echo',
    'ls',
    'id',
    'env',
    'true',
    'false',
    'kill',
    'nc',
    'httpd',
    'wget',
    'tar',
    'hostname',
    'stat',
    'touch',
    'mkdir',
    'readlink',
    'test',
    'head',
    'dd',
    'mount',
    'grep',
    'tr',
  ]
  for (const applet of applets) await symlink('busybox', join(files, 'bin', applet))
  await writeFile(join(files, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n')
  await writeFile(join(files, 'etc/group'), 'root:x:0:\nnobody:x:65534:\n')
  await run('chmod', ['1777', join(files, 'tmp')])

  const layout = join(work, 'layout')
  const blobs = join(layout, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  const put = async (content: string | Buffer) => {
    const digest = createHash('sha256').update(content).digest('hex')
    await writeFile(join(blobs, digest), content)
    return { digest: `sha256:${digest}`, size: Buffer.byteLength(content) }
  }
  await run('tar', ['-C', files, '-cf', join(work, 'layer.tar'), '--owner=0', '--group=0', '.'])
  const layer = await put(await readFile(join(work, 'layer.tar')))
  const config = await put(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Env: ['PATH=/bin'], Cmd: command },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    }),
  )
  const manifest = await put(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
    }),
  )
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  await writeFile(
    join(layout, 'index.json'),
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          ...manifest,
          annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.split(':')[1] },
        },
      ],
    }),
  )
  await run('tar', ['-C', layout, '-cf', join(work, 'image.tar'), '.'])
  await run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', join(work, 'image.tar')])
}
