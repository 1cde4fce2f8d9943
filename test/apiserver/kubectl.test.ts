import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { type Cluster, startCluster } from '../../src/cluster/index.ts'
import type { Output } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { kubectlCommand, tryKubectl } from '../support/kubectl.ts'

const web = (more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'k8ts.local/demo:v1' }] },
    },
    ...more,
  },
})

/** A node that nobody runs, for what is done to nodes. */
const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels: { zone: 'a' } } }

/** kubectl's commands on a control plane without nodes: what needs running containers is in test/e2e. */
describe('kubectl', () => {
  let cluster: Cluster
  let scratch: string
  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'k8ts-kubectl-'))
    cluster = await startCluster({ components: ['controller-manager'] })
    await eventually(() => kubectl('get', 'serviceaccount', 'default'))
    await kubectlWith(JSON.stringify(web()), 'apply', '-f', '-')
    await kubectlWith(JSON.stringify(node), 'create', '-f', '-')
    await eventually(async () => assert.equal((await kubectl('get', 'pods', '-o', 'name')).split('\n').length, 3))
  })
  after(async () => {
    await cluster?.stop()
    await rm(scratch, { recursive: true, force: true })
  })

  async function kubectlWith(input: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await tryKubectl(cluster, args, input)
    assert.equal(code, 0, `kubectl ${args.join(' ')}:\n${stdout}${stderr}`)
    return stdout
  }
  const kubectl = (...args: string[]) => kubectlWith('', ...args)
  const tried = (...args: string[]): Promise<Output> => tryKubectl(cluster, args)

  it('lists what there is in every form', async () => {
    const name = ['deployment', 'web']
    assert.match(await kubectl('get', ...name), /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/2 +2 +0 +\d+s\n$/)
    assert.match(
      await kubectl('get', ...name, '-o', 'wide'),
      /CONTAINERS +IMAGES +SELECTOR\n.* main +k8ts\.local\/demo:v1 +app=web\n$/,
    )
    assert.equal(JSON.parse(await kubectl('get', ...name, '-o', 'json')).kind, 'Deployment')
    assert.match(await kubectl('get', ...name, '-o', 'yaml'), /^apiVersion: apps\/v1\nkind: Deployment\n/)
    assert.equal(await kubectl('get', ...name, '-o', 'name'), 'deployment.apps/web\n')
    assert.equal(await kubectl('get', ...name, '-o', 'jsonpath={.spec.replicas}'), '2')
    assert.equal(await kubectl('get', ...name, '-o', 'go-template={{.metadata.name}}'), 'web')
    const columns = await kubectl('get', ...name, '-o', 'custom-columns=N:.metadata.name,R:.spec.replicas')
    assert.equal(columns, 'N     R\nweb   2\n')
    assert.match(await kubectl('get', ...name, '--show-labels'), /LABELS\n.* app=web\n/)
    assert.match(await kubectl('get', 'all', '-A'), /deployment\.apps\/web/)
    const sorted = await kubectl('get', 'namespaces', '--sort-by=.metadata.name', '-o', 'name')
    assert.deepEqual(sorted.trim().split('\n'), sorted.trim().split('\n').toSorted())
    assert.match(
      await kubectl('get', 'pods', '--field-selector=status.phase=Pending', '-l', 'app in (web)'),
      /web-\S+ +0\/1 +Pending/,
    )
    assert.equal((await tried('get', 'pods', '-l', 'app=none')).stderr, 'No resources found in default namespace.\n')
    assert.match((await tried('get', 'pod', 'none')).stderr, /^Error from server \(NotFound\): pods "none" not found/)
    assert.match((await tried('get', 'nothings')).stderr, /^error: the server doesn't have a resource type "nothings"/)
  })

  it('shows the state of components', async () => {
    assert.match(await kubectl('get', 'componentstatuses'), /NAME +STATUS +MESSAGE +ERROR\n[\s\S]*etcd-0 +Healthy +ok/)
  })

  it('says what would change, then changes it', async () => {
    const three = JSON.stringify(web({ replicas: 3 }))
    const { code, stdout } = await tryKubectl(cluster, ['diff', '-f', '-'], three)
    assert.equal(code, 1)
    assert.match(stdout, /^- {2}replicas: 2\n\+ {2}replicas: 3$/m)
    assert.equal(await kubectlWith(three, 'apply', '-f', '-'), 'deployment.apps/web configured\n')
    assert.equal(await kubectlWith(three, 'apply', '-f', '-'), 'deployment.apps/web unchanged\n')
    assert.equal((await tryKubectl(cluster, ['diff', '-f', '-'], three)).code, 0)
    assert.match(await kubectl('apply', 'view-last-applied', 'deployment/web'), /replicas: 3/)
  })

  it('applies on the server, and says who owns what', async () => {
    const map = (data: object) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ssa' }, data })
    await kubectlWith(map({ a: '1' }), 'apply', '--server-side', '--field-manager=one', '-f', '-')
    const { code, stderr } = await tryKubectl(
      cluster,
      ['apply', '--server-side', '--field-manager=two', '-f', '-'],
      map({ a: '2' }),
    )
    assert.equal(code, 1)
    assert.match(stderr, /Apply failed with 1 conflict: conflict with "one": \.data\.a/)
    await kubectlWith(map({ a: '2' }), 'apply', '--server-side', '--field-manager=two', '--force-conflicts', '-f', '-')
    assert.equal(await kubectl('get', 'configmap', 'ssa', '-o', 'jsonpath={.data.a}'), '2')
  })

  it('waits', async () => {
    const done = kubectl('wait', 'configmap/ssa', '--for=jsonpath={.data.b}=yes', '--timeout=20s')
    await kubectl('patch', 'configmap', 'ssa', '-p', '{"data":{"b":"yes"}}')
    assert.equal(await done, 'configmap/ssa condition met\n')
    const gone = kubectl('wait', 'configmap/ssa', '--for=delete', '--timeout=20s')
    await kubectl('delete', 'configmap', 'ssa')
    await gone
    await kubectl('wait', 'deployment/web', '--for=condition=Progressing', '--timeout=20s')
    assert.match(
      (await tried('wait', 'deployment/web', '--for=condition=Available', '--timeout=1s')).stderr,
      /timed out waiting/,
    )
  })

  it('knows what one may do, and who one is', async () => {
    assert.equal(await kubectl('auth', 'can-i', 'create', 'pods'), 'yes\n')
    assert.equal((await tried('auth', 'can-i', 'create', 'pods', '--as=jane')).stdout, 'no\n')
    assert.match(await kubectl('auth', 'whoami'), /Username +kubernetes-admin/)
    assert.match(await kubectl('auth', 'can-i', '--list'), /^Resources +Non-Resource URLs/)
  })

  it('finds out what there is', async () => {
    assert.match(await kubectl('api-resources'), /^deployments +deploy +apps\/v1 +true +Deployment$/m)
    assert.match(await kubectl('api-resources', '--verbs=list', '--namespaced=false', '-o', 'name'), /^nodes$/m)
    assert.match(await kubectl('api-versions'), /^rbac\.authorization\.k8s\.io\/v1$/m)
    assert.match(await kubectl('explain', 'deployment.spec', '--recursive'), /template\t<PodTemplateSpec> -required-/)
    // What a field says of itself, and not what its type does.
    assert.match(await kubectl('explain', 'pod.spec.containers.livenessProbe'), /Periodic probe of container/)
    assert.match(await kubectl('version'), /Server Version: v1\.36/)
    assert.match(await kubectl('cluster-info'), /Kubernetes control plane.* is running at/)
    assert.equal(await kubectl('get', '--raw', '/readyz'), 'ok')
    assert.match(await kubectl('get', '--raw', '/readyz?verbose'), /readyz check passed/)
  })

  it('changes labels, annotations, taints, images, environment and resources', async () => {
    assert.equal(await kubectl('label', 'deployment', 'web', 'tier=front'), 'deployment.apps/web labeled\n')
    assert.match((await tried('label', 'deployment', 'web', 'tier=back')).stderr, /already has a value \(front\)/)
    await kubectl('label', 'deployment', 'web', 'tier=back', '--overwrite')
    await kubectl('label', 'deployment', 'web', 'tier-')
    await kubectl('annotate', 'deployment', 'web', 'note=some text')
    assert.equal(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.annotations.note}'), 'some text')
    await kubectl('taint', 'node', 'node-1', 'only=tests:NoSchedule')
    assert.match(await kubectl('get', 'node', 'node-1', '-o', 'jsonpath={.spec.taints}'), /"key":"only"/)
    await kubectl('taint', 'node', 'node-1', 'only-')
    await kubectl('set', 'image', 'deployment/web', 'main=k8ts.local/demo:v2')
    await kubectl('set', 'env', 'deployment/web', 'A=b')
    await kubectl('set', 'resources', 'deployment/web', '--limits=cpu=1')
    const { containers } = JSON.parse(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec}'))
    assert.equal(containers[0].image, 'k8ts.local/demo:v2')
    assert.deepEqual(containers[0].env, [{ name: 'A', value: 'b' }])
    assert.deepEqual(containers[0].resources, { limits: { cpu: '1' } })
    await eventually(async () =>
      assert.match(await kubectl('rollout', 'history', 'deployment/web'), /REVISION[\s\S]*^4 /m),
    )
  })

  it('patches in each way, and by subresource', async () => {
    const of = ['patch', 'deployment', 'web']
    await kubectl(...of, '-p', '{"spec":{"template":{"spec":{"containers":[{"name":"main","tty":true}]}}}}')
    await kubectl(...of, '--type=merge', '-p', '{"spec":{"paused":true}}')
    await kubectl(...of, '--type=json', '-p', '[{"op":"replace","path":"/spec/replicas","value":5}]')
    await kubectl(...of, '--subresource=scale', '--type=merge', '-p', '{"spec":{"replicas":1}}')
    const { spec } = JSON.parse(await kubectl('get', 'deployment', 'web', '-o', 'json'))
    assert.deepEqual([spec.paused, spec.replicas, spec.template.spec.containers[0].tty], [true, 1, true])
    assert.equal(spec.template.spec.containers[0].image, 'k8ts.local/demo:v2')
    await kubectl('scale', 'deployment/web', '--replicas=2', '--current-replicas=1')
    await kubectl('rollout', 'resume', 'deployment/web')
    assert.match(
      await kubectl('get', 'deployment', 'web', '--subresource=scale'),
      /NAME +DESIRED +AVAILABLE +AGE\nweb +2 +\d/,
    )
  })

  it('replaces, by force if need be', async () => {
    const map = (immutable: boolean, a: string) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'replaced' }, data: { a }, immutable })
    await kubectlWith(map(true, '1'), 'create', '-f', '-')
    const { stderr } = await tryKubectl(cluster, ['replace', '-f', '-'], map(true, '2'))
    assert.match(stderr, /field is immutable when `immutable` is set/)
    assert.equal(
      await kubectlWith(map(true, '2'), 'replace', '--force', '-f', '-'),
      'configmap "replaced" deleted from default namespace\nconfigmap/replaced replaced\n',
    )
    // The manifest of a pod says nothing of the priority that the server gave it.
    const spec = {
      containers: [{ name: 'main', image: 'k8ts.local/demo' }],
      serviceAccountName: 'default',
      automountServiceAccountToken: false,
    }
    const pod = (labels: object) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'replaced', labels }, spec })
    await kubectlWith(pod({}), 'create', '-f', '-')
    await kubectlWith(pod({ status: 'replaced' }), 'replace', '-f', '-')
    const kept = '{.metadata.labels.status} {.spec.priority} {.spec.preemptionPolicy}'
    assert.equal(await kubectl('get', 'pod', 'replaced', '-o', `jsonpath=${kept}`), 'replaced 0 PreemptLowerPriority')
    await kubectl('delete', 'pod', 'replaced', '--now')
  })

  it('creates by its own commands, and tries first what they would do', async () => {
    for (const args of [
      ['configmap', 'made', '--from-literal=a=b'],
      ['secret', 'generic', 'made', '--from-literal=a=b'],
      ['secret', 'tls', 'none', '--help'],
      ['serviceaccount', 'made'],
      ['role', 'made', '--verb=get', '--resource=pods'],
      ['rolebinding', 'made', '--role=made', '--user=jane'],
      ['clusterrole', 'made', '--verb=get', '--resource=pods'],
      ['clusterrolebinding', 'made', '--clusterrole=made', '--user=jane'],
      ['quota', 'made', '--hard=pods=10'],
      ['poddisruptionbudget', 'made', '--selector=app=x', '--min-available=1'],
      ['priorityclass', 'made', '--value=5'],
      ['service', 'clusterip', 'made', '--tcp=80:80'],
      ['ingress', 'made', '--rule=a.example.com/*=made:80'],
      ['job', 'made', '--image=k8ts.local/demo'],
      ['cronjob', 'made', '--image=k8ts.local/demo', '--schedule=@hourly'],
      ['namespace', 'made'],
    ])
      await kubectl('create', ...args)
    await kubectl('create', 'job', 'from-cron', '--from=cronjob/made')
    await kubectl('expose', 'deployment', 'web', '--port=80')
    await kubectl('autoscale', 'deployment', 'web', '--max=3')
    const controller = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'old' },
      spec: { replicas: 0, template: { metadata: { labels: { app: 'old' } }, spec: web().spec.template.spec } },
    })
    await kubectlWith(controller, 'create', '-f', '-')
    await kubectl('autoscale', 'replicationcontroller', 'old', '--max=3')
    const autoscaler = '{.apiVersion} {.spec.scaleTargetRef.apiVersion}'
    assert.equal(await kubectl('get', 'hpa', 'old', '-o', `jsonpath=${autoscaler}`), 'autoscaling/v2 v1')
    await kubectl('run', 'tried', '--image=k8ts.local/demo', '--dry-run=server')
    assert.match((await tried('get', 'pod', 'tried')).stderr, /NotFound/)
    assert.match(await kubectl('create', 'token', 'made', '--duration=10m'), /^[\w-]+\.[\w-]+\.[\w-]+$/)
    assert.match(await kubectl('describe', 'service', 'made'), /Name: +made\n/)
    assert.match(await kubectl('describe', 'deployment', 'web'), /Events:\n/)
  })

  it('builds with kustomize', async () => {
    await writeFile(join(scratch, 'map.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kust\n')
    await writeFile(
      join(scratch, 'kustomization.yaml'),
      'namePrefix: my-\nresources: [map.yaml]\nconfigMapGenerator:\n- name: gen\n  literals: [a=b]\n',
    )
    const applied = await kubectl('apply', '-k', scratch)
    assert.match(applied, /configmap\/my-gen-\w+ created\nconfigmap\/my-kust created\n/)
    await kubectl('delete', '-k', scratch)
  })

  it('cordons and drains', async () => {
    assert.equal(await kubectl('cordon', 'node-1'), 'node/node-1 cordoned\n')
    assert.match(await kubectl('get', 'node', 'node-1'), /NotReady,SchedulingDisabled|Unknown,SchedulingDisabled/)
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: 'drained' } },
      spec: { nodeName: 'node-1', terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'i' }] },
    })
    await kubectlWith(JSON.stringify(pod('drained')), 'create', '-f', '-')
    assert.match((await tried('drain', 'node-1')).stderr, /cannot delete .*declare no controller.*default\/drained/)
    assert.match(
      await kubectl('drain', 'node-1', '--force', '--timeout=30s'),
      /evicting pod default\/drained\n[\s\S]*node\/node-1 drained/,
    )
    assert.match((await tried('get', 'pod', 'drained')).stderr, /NotFound/)
    assert.equal(await kubectl('uncordon', 'node-1'), 'node/node-1 uncordoned\n')
  })

  it('adds an ephemeral container for debugging', async () => {
    const [pod] = (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')).split('\n')
    await kubectl('debug', pod!, '--image=k8ts.local/demo', '--container=look', '--attach=false', '--', 'sh')
    const path = '{.spec.ephemeralContainers[*].name}'
    assert.equal(await kubectl('get', pod!, '-o', `jsonpath=${path}`), 'look')
    const copied = await kubectl('debug', pod!, '--copy-to=copied', '--image=k8ts.local/demo', '--attach=false')
    assert.match(copied, /^(Defaulting debug container name to \S+\n)?$/)
    assert.match(await kubectl('get', 'pod', 'copied'), /copied +0\/2 +Pending/)
  })

  it('shows events', async () => {
    await eventually(async () => assert.match(await kubectl('events', '--for=deployment/web'), /ScalingReplicaSet/))
  })

  it('is a proxy', async () => {
    const [program, config] = await kubectlCommand(cluster)
    const proxy = spawn(program, [config, 'proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [said] = await once(proxy.stdout, 'data')
      const address = String(said).match(/127\.0\.0\.1:\d+/)![0]
      const answer = await new Promise<string>((resolve, reject) =>
        request(`http://${address}/api/v1/namespaces/default`, async response => resolve(await text(response)))
          .on('error', reject)
          .end(),
      )
      assert.equal(JSON.parse(answer).metadata.name, 'default')
    } finally {
      proxy.kill()
      await once(proxy, 'exit')
    }
  })

  it('deletes', async () => {
    const { stderr } = await tried('delete', 'deployment', 'none')
    assert.match(stderr, /deployments\.apps "none" not found/)
    assert.equal(await kubectl('delete', 'deployment', 'none', '--ignore-not-found'), '')
    assert.match(await kubectl('delete', 'deployment', 'web', '--cascade=foreground'), /deleted/)
    await kubectl('delete', 'configmaps', '--all')
    await kubectl('delete', 'namespace', 'made')
  })
})
