import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startTestApiServer, type TestApiServer } from '../support/apiserver.ts'
import { adminKubeconfig, tryKubectl } from '../support/kubectl.ts'

const deployment = (name: string, image: string, replicas?: number) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'main', image, ports: [{ containerPort: 80 }] }] },
      },
    },
  })

describe('kubectl apply', () => {
  let server: TestApiServer
  let kubeconfig: string
  let remove: () => Promise<void>

  before(async () => {
    server = await startTestApiServer()
    ;({ kubeconfig, remove } = await adminKubeconfig(server))
  })
  after(async () => {
    await remove()
    await server.stop()
  })

  const kubectl = (input: string, ...args: string[]) => tryKubectl({ kubeconfig }, args, input)

  /** Runs it, which must succeed, and returns what it printed. */
  async function succeed(input: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await kubectl(input, ...args)
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const managers = async (name: string) =>
    succeed('', 'get', 'deployment', name, '-o', 'jsonpath={.metadata.managedFields[*].manager}')

  it('moves from the client to the server and back', async () => {
    const apply = ['apply', '-f', '-']
    assert.match(await succeed(deployment('moved', 'a'), ...apply), /moved created/)
    assert.match(await succeed(deployment('moved', 'a'), ...apply), /moved unchanged/)
    assert.match(await succeed(deployment('moved', 'b', 2), ...apply), /moved configured/)
    assert.equal(await managers('moved'), 'kubectl-client-side-apply')
    assert.match(await succeed(deployment('moved', 'c', 2), ...apply, '--server-side'), /serverside-applied/)
    assert.doesNotMatch(await managers('moved'), /client-side/)
    assert.match(await succeed(deployment('moved', 'd', 2), ...apply), /moved configured/)
    assert.match(await succeed('', 'apply', 'view-last-applied', 'deployment/moved'), /image: d/)
  })

  it('shows conflicts as upstream does', async () => {
    const apply = ['apply', '-f', '-', '--server-side']
    await succeed(deployment('contested', 'a', 1), ...apply)
    await succeed('', 'scale', 'deployment', 'contested', '--replicas=5')
    const { code, stderr } = await kubectl(deployment('contested', 'a', 1), ...apply)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas\n/,
    )
    assert.match(await succeed(deployment('contested', 'a'), ...apply), /serverside-applied/)
    const replicas = ['get', 'deployment', 'contested', '-o', 'jsonpath={.spec.replicas}']
    assert.equal(await succeed('', ...replicas), '5')
    await succeed(deployment('contested', 'a', 1), ...apply, '--force-conflicts')
    assert.equal(await succeed('', ...replicas), '1')
  })

  it('shows differences without making them', async () => {
    await succeed(deployment('compared', 'a'), 'apply', '--server-side', '-f', '-')
    const same = await kubectl(deployment('compared', 'a'), 'diff', '--server-side', '-f', '-')
    assert.equal(same.code, 0, same.stdout)
    const { code, stdout } = await kubectl(deployment('compared', 'b'), 'diff', '--server-side', '-f', '-')
    assert.equal(code, 1)
    assert.match(stdout, /^-\s+- image: a\n\+\s+- image: b$/m)
  })
})
