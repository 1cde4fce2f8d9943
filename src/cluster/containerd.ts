import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PAUSE_IMAGE } from './demo-image.ts'
import { readOptional, replaceFile } from './files.ts'
import type { Layout } from './layout.ts'

/** Where Debian's containernetworking-plugins puts the standard CNI plugins. */
const CNI_PLUGINS = '/usr/lib/cni'
const CAP_SYS_RESOURCE = 24n

/** Left out to save memory and start-up: nothing of a cluster's node uses them. */
const UNUSED_PLUGINS = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.native',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.restart',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
]

/**
 * Writes the configuration of the cluster's own containerd and returns the file's path. Roots, sockets, network
 * namespaces and CNI configuration are the cluster's, so that it never meets a containerd that the machine runs.
 */
export function writeContainerdConfig({ containerd, cni, run }: Layout): string {
  const path = join(containerd, 'config.toml')
  const state = join(run, 'containerd')
  mkdirSync(join(containerd, 'certs.d'), { recursive: true })
  mkdirSync(state, { recursive: true })
  mkdirSync(cni, { recursive: true })
  const config = `version = 2
root = ${quote(join(containerd, 'root'))}
state = ${quote(state)}
plugin_dir = ""
disabled_plugins = [${UNUSED_PLUGINS.map(quote).join(', ')}]

[grpc]
  address = ${quote(join(state, 'containerd.sock'))}

[ttrpc]
  address = ${quote(join(state, 'containerd.sock.ttrpc'))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${quote(PAUSE_IMAGE)}
  restrict_oom_score_adj = ${!mayLowerOomScore()}
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${quote(CNI_PLUGINS)}
    conf_dir = ${quote(cni)}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${quote(join(containerd, 'certs.d'))}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`
  if (readOptional(path) !== config) replaceFile(path, config)
  return path
}

/** Without CAP_SYS_RESOURCE (in a container, in some virtual machines) nobody may set the negative scores of pods. */
function mayLowerOomScore(): boolean {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))
  return (BigInt(`0x${line?.[1] ?? '0'}`) & (1n << CAP_SYS_RESOURCE)) !== 0n
}

/** A TOML basic string; JSON's escapes are a part of TOML's. */
const quote = (text: string) => JSON.stringify(text)
