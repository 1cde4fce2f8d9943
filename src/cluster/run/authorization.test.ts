import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { authorizersOf } from './authorization.ts'

test('flags say who decides, or are refused in upstream’s words', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'k8ts-authorization-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  assert.deepEqual(await authorizersOf({}), [{ type: 'AlwaysAllow' }])
  assert.deepEqual(await authorizersOf({ authorizationMode: ['Node', 'RBAC'] }), [{ type: 'Node' }, { type: 'RBAC' }])
  const policy = file('policy', '{}')
  const abac = await authorizersOf({ authorizationMode: ['ABAC'], authorizationPolicyFile: policy })
  assert.deepEqual(abac, [{ type: 'ABAC', policy: '{}' }])
  for (const [flags, message] of [
    [{ authorizationMode: ['RBCA'] }, 'authorization-mode "RBCA" is not a valid mode'],
    [{ authorizationMode: ['RBAC', 'RBAC'] }, 'authorization-mode ["RBAC" "RBAC"] has mode specified more than once'],
    [{ authorizationMode: ['ABAC'] }, `authorization-mode ABAC's authorization policy file not passed`],
    [{ authorizationMode: ['Webhook'] }, `authorization-mode Webhook's authorization config file not passed`],
    [{ authorizationPolicyFile: policy }, 'cannot specify --authorization-policy-file without mode ABAC'],
  ] as const)
    await assert.rejects(authorizersOf({ ...flags, authorizationMode: [...(flags.authorizationMode ?? ['RBAC'])] }), {
      message,
    })

  const kubeconfig = file(
    'kubeconfig',
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://authz.example.com/authorize' } }],
      users: [{ name: 'u', user: { token: 'secret' } }],
    }),
  )
  const authorizationConfig = file(
    'config.yaml',
    `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  name: example
  webhook:
    timeout: 3s
    authorizedTTL: 1m30s
    cacheUnauthorizedRequests: false
    subjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: { type: KubeConfigFile, kubeConfigFile: ${kubeconfig} }
    matchConditions: [{ expression: has(request.resourceAttributes) }]
- { type: Node, name: node }
`,
  )
  const [webhook, node] = await authorizersOf({ authorizationConfig })
  assert.deepEqual(node, { type: 'Node' })
  assert.deepEqual(JSON.parse(JSON.stringify(webhook)), {
    type: 'Webhook',
    webhook: {
      url: 'https://authz.example.com/authorize',
      token: 'secret',
      version: 'v1',
      timeout: 3000,
      authorizedTtl: 90_000,
      unauthorizedTtl: 0,
      failurePolicy: 'Deny',
      matchConditions: ['has(request.resourceAttributes)'],
    },
  })
  await assert.rejects(authorizersOf({ authorizationConfig, authorizationMode: ['RBAC'] }), /can not be specified when/)
})
