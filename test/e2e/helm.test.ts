import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { installTools } from '../../scripts/tools.ts'
import { type Output, run, startTestCluster, type TestCluster } from '../support/cluster.ts'
import { DEMO, refused } from '../support/kubectl.ts'

/** A pod that ends by itself, run by Helm at a certain moment. */
const hook = (name: string, when: string, script: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-${name}
  annotations:
    helm.sh/hook: ${when}
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: ${DEMO}
    command: [sh, -c, '${script}']
`

/** The files of a chart that has one of each thing. */
const CHART: Record<string, string> = {
  'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\nappVersion: "1"\n',
  'values.yaml': 'replicas: 1\ngreeting: hello\n',
  'values.schema.json': JSON.stringify({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    required: ['replicas'],
    properties: { replicas: { type: 'integer', minimum: 1 }, greeting: { type: 'string' } },
  }),
  'crds/carts.yaml': `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: carts.shop.example.com
spec:
  group: shop.example.com
  scope: Namespaced
  names: {plural: carts, kind: Cart}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              wheels: {type: integer}
`,
  'templates/cart.yaml': `
apiVersion: shop.example.com/v1
kind: Cart
metadata:
  name: {{ .Release.Name }}
spec:
  wheels: 4
`,
  'templates/deployment.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {greeting: {{ .Values.greeting }}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: ${DEMO}
        env:
        - {name: GREETING, value: {{ .Values.greeting }}}
`,
  'templates/service.yaml': `
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: {{ .Release.Name }}}
  ports:
  - {port: 80, targetPort: 8080}
`,
  'templates/before.yaml': hook('before', 'pre-install', 'echo preparing'),
  'templates/test.yaml': hook('test', 'test', 'wget -qO- http://{{ .Release.Name }}'),
  'templates/NOTES.txt': 'The shop says {{ .Values.greeting }}.\n',
}

describe('Helm', { timeout: 300_000 }, () => {
  let cluster: TestCluster
  let scratch: string
  let chart: string
  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'k8ts-helm-'))
    chart = join(scratch, 'shop')
    for (const [file, content] of Object.entries(CHART)) {
      await mkdir(dirname(join(chart, file)), { recursive: true })
      await writeFile(join(chart, file), content)
    }
    cluster = await startTestCluster()
  })
  after(async () => {
    await cluster?.purge()
    await rm(scratch, { recursive: true, force: true })
  })

  async function tried(...args: string[]): Promise<Output> {
    return run(join(await installTools(), 'helm'), [`--kubeconfig=${cluster.kubeconfig}`, ...args])
  }
  async function helm(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await tried(...args)
    assert.equal(code, 0, `helm ${args.join(' ')}:\n${stdout}${stderr}`)
    return stdout
  }
  const waiting = ['--wait', '--timeout=60s']

  it('refuses values that the schema does not allow', async () => {
    const { code, stderr } = await tried('install', 'first', chart, '--set=replicas=0')
    assert.equal(code, 1)
    assert.match(stderr, /values don't meet the specifications of the schema[\s\S]*replicas/)
  })

  it('installs a chart with its definitions, after the hook has run', async () => {
    const said = await helm('install', 'first', chart, ...waiting)
    assert.match(said, /STATUS: deployed/)
    assert.match(said, /The shop says hello\./)
    assert.equal(await cluster.kubectl('get', 'cart', 'first', '-o', 'jsonpath={.spec.wheels}'), '4')
    assert.equal(await cluster.kubectl('get', 'pod', 'first-before', '-o', 'jsonpath={.status.phase}'), 'Succeeded')
    assert.equal(await cluster.kubectl('logs', 'first-before'), 'preparing\n')
    assert.match(await cluster.kubectl('get', 'deployment', 'first'), /first +1\/1/)
  })

  it('upgrades, and rolls back', async () => {
    await helm('upgrade', 'first', chart, '--set=greeting=servus,replicas=2', ...waiting)
    const greeting = ['get', 'deployment', 'first', '-o', 'jsonpath={.spec.template.metadata.annotations.greeting}']
    assert.equal(await cluster.kubectl(...greeting), 'servus')
    assert.match(await cluster.kubectl('get', 'deployment', 'first'), /first +2\/2/)
    await helm('rollback', 'first', '1', ...waiting)
    assert.equal(await cluster.kubectl(...greeting), 'hello')
    const history = JSON.parse(await helm('history', 'first', '-o', 'json')) as { revision: number; status: string }[]
    assert.deepEqual(
      history.map(({ revision, status }) => [revision, status]),
      [
        [1, 'superseded'],
        [2, 'superseded'],
        [3, 'deployed'],
      ],
    )
  })

  it('tests the release from within', async () => {
    assert.match(await helm('test', 'first', '--timeout=60s'), /TEST SUITE: +first-test[\s\S]*Phase: +Succeeded/)
  })

  it('lists and describes it', async () => {
    assert.match(await helm('list'), /first\s+default\s+3\s.*deployed\s+shop-1\.0\.0/)
    assert.match(await helm('get', 'manifest', 'first'), /kind: Cart/)
    assert.match(await helm('status', 'first'), /STATUS: deployed/)
  })

  it('removes all but the definitions', async () => {
    await helm('uninstall', 'first', ...waiting)
    assert.match(await refused(cluster, 'get', 'deployment', 'first'), /NotFound/)
    assert.match(await refused(cluster, 'get', 'cart', 'first'), /NotFound/)
    assert.match(await cluster.kubectl('get', 'crd', 'carts.shop.example.com'), /carts/)
  })
})
