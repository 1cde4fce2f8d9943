import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Image, imageArchive, type TarEntry } from './archive.ts'

export const PAUSE_IMAGE = 'k8ts.local/pause:1'
export const DEMO_IMAGE = 'k8ts.local/demo:latest'

/** From Debian's busybox-static: one program, no libraries. */
const BUSYBOX = '/bin/busybox'

/**
 * What a pod's sandbox runs: it waits in one blocking read that never ends, leaves at once when told to, and lets the
 * kernel reap the orphans that a shared process namespace hands it.
 */
const PAUSE = `#!/bin/sh
trap 'exit 0' TERM INT
trap '' CHLD
exec 3<>/wait
while :; do read -r line <&3; done
`

/** As the first process of its namespace a program without a handler would ignore SIGTERM, so the shell takes it. */
const DEMO = `#!/bin/sh
trap 'kill "$server"; exit 0' TERM INT
echo "demo $VERSION on $(hostname) answers on port \${PORT:=8080}"
httpd -f -vv -p "$PORT" -h /www &
server=$!
wait "$server"
`

const PAGE = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "Hello from $(hostname), demo $VERSION"
echo
env | grep -v -E '^(HTTP_|REMOTE_|SERVER_|SCRIPT_|QUERY_|REQUEST_|GATEWAY_|CONTENT_|DOCUMENT_|PATH_INFO|_=|SHLVL|PWD|OLDPWD)' | sort
`

/** Docker archive with the pause image and the demo's versions: `latest`, which is `v1`, and `v2`. */
export function builtInImages(): Buffer {
  const busybox = readFileSync(BUSYBOX)
  const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  const pause = [
    ...directories('bin'),
    program('bin/sh', busybox),
    program('pause', PAUSE),
    // Whatever user the pod's containers run as, the sandbox runs as the same.
    { path: 'wait', fifo: true, mode: 0o666 },
  ]
  const demo = [
    ...directories('bin', 'etc', 'root', 'www', 'www/cgi-bin', 'var', 'var/log'),
    { path: 'tmp/', mode: 0o1777 },
    program('bin/busybox', busybox),
    ...applets.filter(name => name !== 'busybox').map(name => ({ path: `bin/${name}`, link: 'busybox' })),
    { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    program('bin/demo', DEMO),
    // The server runs this one for `/`, where there is no index.html.
    program('www/cgi-bin/index.cgi', PAGE),
  ]
  return imageArchive([
    { name: PAUSE_IMAGE, config: { Entrypoint: ['/pause'] }, layer: pause },
    demoImage(DEMO_IMAGE, 'v1', demo),
    demoImage(DEMO_IMAGE.replace('latest', 'v1'), 'v1', demo),
    demoImage(DEMO_IMAGE.replace('latest', 'v2'), 'v2', demo),
  ])
}

const demoImage = (name: string, version: string, layer: TarEntry[]): Image => ({
  name,
  config: {
    Cmd: ['/bin/demo'],
    Env: ['PATH=/bin', `VERSION=${version}`],
    ExposedPorts: { '8080/tcp': {} },
    WorkingDir: '/',
  },
  layer,
})

const directories = (...paths: string[]) => paths.map(path => ({ path: `${path}/` }))
const program = (path: string, content: Uint8Array | string): TarEntry => ({ path, content, mode: 0o755 })
