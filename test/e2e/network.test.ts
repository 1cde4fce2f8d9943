import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { core } from '../../src/api/index.ts'
import { run, startTestCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { apply, DEMO, getPod, getPods, inPod, ready, scriptPod, tryKubectl, WAIT } from '../support/kubectl.ts'
import { TOOLS, writeToolsImage } from '../support/tools-image.ts'

let cluster: TestCluster
let scratch: string
/** The node's own address. */
let nodeIp: string

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'k8ts-network-'))
  cluster = await startTestCluster()
  const archive = join(scratch, 'tools.tar')
  writeToolsImage(archive)
  await cluster.k8ts('image', 'import', archive)
  await apply(cluster, ...objects)
  await ready(cluster, 'client', 'mirror', 'db-0', 'db-1')
  await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s')
  const { items } = await cluster.json<{ items: core.Node[] }>('get', 'nodes')
  nodeIp = items[0]?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
})
after(async () => {
  rmSync(scratch, { recursive: true, force: true })
  await cluster.purge()
})

const service = (name: string, spec: Partial<core.ServiceSpec>) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
})

/** Answers every request with the address that it came from. */
const MIRROR = `mkdir -p /srv/cgi-bin
cat >/srv/cgi-bin/index.cgi <<'END'
#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "$REMOTE_ADDR"
END
chmod 755 /srv/cgi-bin/index.cgi
exec httpd -f -p 8080 -h /srv`

const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'demo', image: DEMO, ports: [{ name: 'main', containerPort: 8080 }] }] },
    },
  },
}

/** One of the pods behind the headless Service `db`, with a host name of its own. */
const database = (name: string) => {
  const pod = scriptPod(name, WAIT, { hostname: name, subdomain: 'db' })
  return { ...pod, metadata: { name, labels: { app: 'db' } } }
}

const objects = [
  scriptPod('client', WAIT, {}, { image: TOOLS }),
  scriptPod('mirror', MIRROR),
  database('db-0'),
  database('db-1'),
  web,
  service('web', { type: 'NodePort', ports: [{ name: 'http', port: 80, targetPort: 'main' }] }),
  service('echo', { selector: { app: 'mirror' } }),
  service('db', { clusterIP: 'None' }),
  service('empty', {}),
  service('sticky', { selector: { app: 'web' }, sessionAffinity: 'ClientIP' }),
  service('outside', { type: 'ExternalName', externalName: 'www.example.org', selector: undefined, ports: undefined }),
]

const curl = (...args: string[]) =>
  cluster.kubectl('exec', 'client', '--', 'curl', '--silent', '--show-error', '--max-time', '10', ...args)
/** What dig prints in the client pod, one record a line, sorted. */
const dig = async (...args: string[]) =>
  (await cluster.kubectl('exec', 'client', '--', 'dig', '+short', '+search', ...args)).trim().split('\n').sort()

const getService = (name: string) => cluster.json<core.Service>('get', 'service', name)
const clusterIp = async (name: string) => (await getService(name)).spec?.clusterIP ?? ''
const podIp = async (name: string) => (await getPod(cluster, name)).status?.podIP ?? ''

/** The names of the pods that answered, over many requests. */
async function answering(url: string): Promise<string[]> {
  const text = await curl(`${url}/?[1-24]`)
  return [...new Set([...text.matchAll(/^Hello from (\S+),/gm)].map(([, name = '']) => name))].sort()
}

const webPods = async () => (await getPods(cluster, 'app=web')).map(pod => pod.metadata.name).sort()

describe('one pod reaches another', () => {
  test('by its address, and is seen by its own', async () => {
    for (const pod of await getPods(cluster, 'app=web')) {
      assert.match(await curl(`http://${pod.status?.podIP}:8080/`), new RegExp(`^Hello from ${pod.metadata.name},`))
    }
    assert.match(await curl(`http://${await podIp('mirror')}:8080/`), addressLine(await podIp('client')))
  })

  test('by the address of its Service, which spreads over the pods', async () => {
    const answered = await eventually(async () => {
      const names = await answering(`http://${await clusterIp('web')}`)
      assert.equal(names.length, 2)
      return names
    })
    assert.deepEqual(answered, await webPods())
  })

  test('by the address of its Service, and is still seen by its own', async () => {
    assert.match(await curl(`http://${await clusterIp('echo')}/`), addressLine(await podIp('client')))
  })

  test('by the name of its Service, short and long', async () => {
    for (const name of ['web', 'web.default', 'web.default.svc', 'web.default.svc.cluster.local']) {
      assert.match(await curl(`http://${name}/`), /^Hello from web-/, name)
    }
  })

  test('and itself, by its own Service', async () => {
    assert.match(await inPod(cluster, 'mirror', 'wget -q -O - http://echo/'), /\d+\.\d+\.\d+\.\d+/)
  })

  test('always the same one by a Service with session affinity', async () => {
    for (const _ of [1, 2]) assert.equal((await answering('http://sticky')).length, 1)
    assert.deepEqual(await answering('http://sticky'), await answering('http://sticky'))
  })
})

const addressLine = (address: string) => new RegExp(`(^|[^\\d.])${address.replaceAll('.', '\\.')}\\b`)

describe('a Service', () => {
  test('without endpoints refuses at once', async () => {
    await assert.rejects(curl('http://empty/'), /curl: \(7\)/)
  })

  test('follows its pods as they go and come', async () => {
    await cluster.kubectl('scale', 'deployment', 'web', '--replicas=0')
    await eventually(() => assert.rejects(curl('http://web/'), /curl: \(7\)/))
    await cluster.kubectl('scale', 'deployment', 'web', '--replicas=2')
    await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s')
    await eventually(async () => assert.deepEqual(await answering('http://web'), await webPods()))
  })

  test('has its endpoints in an EndpointSlice and in the Endpoints of old', async () => {
    const addresses = (await getPods(cluster, 'app=web')).map(pod => pod.status?.podIP).sort()
    const slices = await cluster.kubectl(
      'get',
      'endpointslices',
      '--selector=kubernetes.io/service-name=web',
      '--output=jsonpath={range .items[*].endpoints[*]}{.addresses[0]} {.conditions.ready}{"\\n"}{end}',
    )
    assert.deepEqual(
      slices.trim().split('\n').sort(),
      addresses.map(address => `${address} true`),
    )
    const endpoints = await cluster.kubectl('get', 'endpoints', 'web')
    for (const address of addresses) assert.match(endpoints, new RegExp(`${address}:8080`))
  })

  test('of type NodePort answers on the node’s address, to the host and to pods', async () => {
    const port = (await getService('web')).spec?.ports?.[0]?.nodePort ?? 0
    assert.ok(port >= 30000 && port <= 32767, `${port}`)
    const answer = await fetch(`http://${nodeIp}:${port}/`)
    assert.match(await answer.text(), /^Hello from web-/)
    assert.match(await curl(`http://${nodeIp}:${port}/`), /^Hello from web-/)
  })

  test('of type ClusterIP answers to the host too', async () => {
    assert.match(await (await fetch(`http://${await clusterIp('web')}/`)).text(), /^Hello from web-/)
  })

  test('that is deleted answers no more', async () => {
    await apply(cluster, service('passing', { selector: { app: 'web' } }))
    const address = await clusterIp('passing')
    await eventually(async () => assert.match(await curl(`http://${address}/`), /^Hello from web-/))
    await cluster.kubectl('delete', 'service', 'passing')
    // Whatever else may lie at that address out in the world, it is not our pods any more.
    const visit = ['exec', 'client', '--', 'curl', '--silent', '--max-time', '1', `http://${address}/`]
    await eventually(async () => assert.doesNotMatch((await tryKubectl(cluster, visit)).stdout, /Hello from/))
  })
})

describe('DNS', () => {
  test('is set up in the pod', async () => {
    const lines = (await inPod(cluster, 'client', 'cat /etc/resolv.conf')).trim().split('\n')
    assert.ok(lines.includes(`nameserver ${await dnsAddress()}`))
    assert.match(lines.join('\n'), /^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/m)
    assert.ok(lines.includes('options ndots:5'))
  })

  test('gives a Service’s address for its name, and its name for the address', async () => {
    const address = await clusterIp('web')
    assert.deepEqual(await dig('web'), [address])
    assert.deepEqual(await dig('-x', address), ['web.default.svc.cluster.local.'])
    assert.deepEqual(await dig('AAAA', 'web'), [''])
    assert.deepEqual(await dig('kubernetes.default.svc.cluster.local'), [await clusterIp('kubernetes')])
  })

  test('gives every pod’s address for a headless Service', async () => {
    const addresses = [await podIp('db-0'), await podIp('db-1')].sort()
    assert.deepEqual(await dig('db.default.svc.cluster.local'), addresses)
  })

  test('knows pods by host name and by address', async () => {
    const address = await podIp('db-0')
    assert.deepEqual(await dig('db-0.db.default.svc.cluster.local'), [address])
    assert.deepEqual(await dig('-x', address), ['db-0.db.default.svc.cluster.local.'])
    assert.deepEqual(await dig(`${address.replaceAll('.', '-')}.default.pod.cluster.local`), [address])
    assert.equal((await inPod(cluster, 'db-0', 'hostname -f')).trim(), 'db-0.db.default.svc.cluster.local')
  })

  test('gives ports by SRV', async () => {
    assert.deepEqual(await dig('SRV', '_http._tcp.web.default.svc.cluster.local'), [
      '0 100 80 web.default.svc.cluster.local.',
    ])
    assert.deepEqual(await dig('SRV', '_http._tcp.db.default.svc.cluster.local'), [
      '0 50 8080 db-0.db.default.svc.cluster.local.',
      '0 50 8080 db-1.db.default.svc.cluster.local.',
    ])
  })

  test('gives the other name of an ExternalName Service', async () => {
    assert.ok((await dig('CNAME', 'outside.default.svc.cluster.local')).includes('www.example.org.'))
  })

  test('says that a name does not exist', async () => {
    const reply = await cluster.kubectl('exec', 'client', '--', 'dig', 'nothing.default.svc.cluster.local')
    assert.match(reply, /status: NXDOMAIN/)
    assert.match(reply, /^cluster\.local\.\s+\d+\s+IN\s+SOA\s/m)
  })

  test('answers over TCP too', async () => {
    assert.deepEqual(await dig('+tcp', 'web.default.svc.cluster.local'), [await clusterIp('web')])
  })

  test('asks the machine’s own servers for the rest', async () => {
    // Whoever could install the project resolves this name, or reaches it in a way of which DNS knows nothing.
    const name = 'registry.npmjs.org.'
    const status = (text: string) => text.match(/status: (\w+)/)?.[1]
    const onHost = await run('dig', [name])
    const onPod = await cluster.kubectl('exec', 'client', '--', 'dig', name)
    assert.equal(status(onPod), status(onHost.stdout) ?? 'SERVFAIL')
    assert.equal(/ANSWER: 0/.test(onPod), /ANSWER: 0/.test(onHost.stdout))
  })

  const dnsAddress = () =>
    cluster.kubectl('get', 'service', 'kube-dns', '--namespace=kube-system', '--output=jsonpath={.spec.clusterIP}')
})

describe('a pod and the machine', () => {
  test('the pod calls a server on the host', async () => {
    const server = createServer((_, response) => response.end('the host'))
    await new Promise<void>(resolve => server.listen(0, resolve))
    try {
      const { port } = server.address() as AddressInfo
      assert.equal(await curl(`http://${nodeIp}:${port}/`), 'the host')
    } finally {
      server.close()
    }
  })

  test('a hostPort leads to the pod', async () => {
    const hostPort = await freePort()
    const ports = [{ containerPort: 8080, hostPort }]
    await apply(cluster, scriptPod('door', MIRROR, {}, { ports }))
    await ready(cluster, 'door')
    await eventually(async () => assert.equal((await fetch(`http://${nodeIp}:${hostPort}/`)).status, 200))
    await cluster.kubectl('delete', 'pod', 'door')
    await assert.rejects(fetch(`http://${nodeIp}:${hostPort}/`))
  })

  test('a pod on the host’s network has the node’s address and still knows Services', async () => {
    await apply(
      cluster,
      scriptPod('native', WAIT, { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, { image: TOOLS }),
    )
    await ready(cluster, 'native')
    assert.equal(await podIp('native'), nodeIp)
    assert.match(await cluster.kubectl('exec', 'native', '--', 'curl', '--silent', 'http://web/'), /^Hello from web-/)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

describe('a pod calls the API', () => {
  const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'
  const call = (path: string, ...args: string[]) =>
    inPod(
      cluster,
      'client',
      `curl --silent --show-error --cacert ${FOLDER}/ca.crt --header "Authorization: Bearer $(cat ${FOLDER}/token)" ` +
        `${args.join(' ')} "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT${path}"`,
    )

  test('with its mounted token and certificate authority, as its service account', async () => {
    const review = `'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'`
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const answer = JSON.parse(await call(path, '--header "Content-Type: application/json"', '--data', review))
    const pod = await getPod(cluster, 'client')
    const { username, groups, extra } = answer.status.userInfo
    assert.equal(username, 'system:serviceaccount:default:default')
    assert.deepEqual(groups, ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'])
    assert.deepEqual(extra['authentication.kubernetes.io/pod-name'], ['client'])
    assert.deepEqual(extra['authentication.kubernetes.io/pod-uid'], [pod.metadata.uid])
  })

  test('by the name kubernetes.default.svc, which its certificate bears', async () => {
    const answer = await curl('--cacert', `${FOLDER}/ca.crt`, 'https://kubernetes.default.svc/version')
    assert.match(JSON.parse(answer).gitVersion, /^v1\.36\./)
  })

  test('and is told what it may not do', async () => {
    const answer = JSON.parse(await call('/api/v1/namespaces/default/pods'))
    assert.deepEqual([answer.kind, answer.code, answer.reason], ['Status', 403, 'Forbidden'])
    assert.equal(
      answer.message,
      'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"',
    )
  })

  test('as an operator may what its roles say, there and on the node, and nothing else', async () => {
    const ACCOUNT = '--serviceaccount=default:operator'
    await cluster.kubectl('create', 'serviceaccount', 'operator')
    await cluster.kubectl('create', 'role', 'operator', '--verb=get,list,watch,create,patch', '--resource=configmaps')
    await cluster.kubectl('create', 'role', 'reader', '--verb=get,list', '--resource=pods,pods/log')
    await cluster.kubectl('create', 'clusterrole', 'stats', '--verb=get', '--resource=nodes/stats')
    for (const role of ['operator', 'reader'])
      await cluster.kubectl('create', 'rolebinding', role, `--role=${role}`, ACCOUNT)
    await apply(cluster, scriptPod('operator', WAIT, { serviceAccountName: 'operator' }, { image: TOOLS }))
    await ready(cluster, 'operator')
    const visit = (url: string, ...args: string[]) => {
      const bearer = `--header "Authorization: Bearer $(cat ${FOLDER}/token)"`
      const show = `--silent --show-error --output /dev/null --write-out '%{http_code}'`
      return inPod(cluster, 'operator', `curl ${show} --cacert ${FOLDER}/ca.crt ${bearer} ${args.join(' ')} ${url}`)
    }
    const api = 'https://kubernetes.default.svc/api/v1/namespaces'
    const body = `--header "Content-Type: application/json" --data '{"metadata":{"name":"made-by-operator"}}'`
    for (const [path, args, code] of [
      ['default/pods', '', '200'],
      ['default/pods/operator/log', '', '200'],
      ['default/configmaps', body, '201'],
      ['default/configmaps/made-by-operator', '--request DELETE', '403'],
      ['default/secrets', '', '403'],
      ['kube-system/configmaps', '', '403'],
    ] as const)
      assert.equal(await visit(`${api}/${path}`, args), code, `${args} ${path}`)
    // The node's kubelet asks the API server who this is and what he may.
    const { items } = await cluster.json<{ items: core.Node[] }>('get', 'nodes')
    const kubelet = `https://${nodeIp}:${items[0]?.status?.daemonEndpoints?.kubeletEndpoint?.Port}`
    assert.equal(await visit(`${kubelet}/pods`), '403')
    await cluster.kubectl('create', 'clusterrolebinding', 'stats', '--clusterrole=stats', ACCOUNT)
    assert.equal(await visit(`${kubelet}/stats/summary`), '200')
    const { stdout } = await tryKubectl(cluster, [
      'auth',
      'can-i',
      '--list',
      '--as=system:serviceaccount:default:operator',
    ])
    assert.match(stdout, /^configmaps +\[\] +\[\] +\[get list watch create patch\]$/m)
  })

  test('but not with a token that somebody has changed', async () => {
    const forged = `$(sed 's/.....$/AAAAA/' ${FOLDER}/token)`
    const url = 'https://kubernetes.default.svc/api'
    const { stdout } = await tryKubectl(cluster, [
      'exec',
      'client',
      '--',
      'sh',
      '-c',
      `curl --silent --cacert ${FOLDER}/ca.crt --header "Authorization: Bearer ${forged}" ${url}`,
    ])
    assert.deepEqual([JSON.parse(stdout).code, JSON.parse(stdout).message], [401, 'Unauthorized'])
  })

  test('and once its pod is gone the token is worth nothing', async () => {
    await apply(cluster, scriptPod('brief', WAIT))
    await ready(cluster, 'brief')
    const token = await inPod(cluster, 'brief', `cat ${FOLDER}/token`)
    const visit = () =>
      curl(
        '--insecure',
        '--output',
        '/dev/null',
        '--write-out',
        '%{http_code}',
        '--header',
        `Authorization: Bearer ${token}`,
        'https://kubernetes.default.svc/api',
      )
    assert.equal(await visit(), '200')
    await cluster.kubectl('delete', 'pod', 'brief')
    await eventually(async () => assert.equal(await visit(), '401'))
  })
})
