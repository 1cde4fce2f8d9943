import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policy } from './objects.ts'

type Named = { metadata?: { namespace?: string; name?: string } }

/** Source: `kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A` of an API server 1.36 that has just started */
test('a cluster begins with upstream’s policy, and with what k8ts’ own components need besides', () => {
  const all = Object.entries(policy() as unknown as Record<string, Named[]>).map(([kind, objects]) => {
    const names = objects.map(({ metadata }) => `${metadata?.namespace ?? ''}/${metadata?.name}`)
    assert.equal(new Set(names).size, names.length)
    const own = names.filter(name => name.includes('/system:k8ts:'))
    return [kind, names.length - own.length, own.length]
  })
  assert.deepEqual(all, [
    ['clusterRoles', 69, 4],
    ['clusterRoleBindings', 50, 4],
    ['roles', 7, 1],
    ['roleBindings', 7, 1],
  ])
  const { clusterRoles, clusterRoleBindings } = policy()
  const role = (name: string) => clusterRoles.find(({ metadata }) => metadata?.name === name)
  assert.deepEqual(role('system:kube-dns')?.rules, [
    { verbs: ['list', 'watch'], apiGroups: [''], resources: ['endpoints', 'services'] },
  ])
  assert.deepEqual(role('edit')?.metadata?.labels, {
    'kubernetes.io/bootstrapping': 'rbac-defaults',
    'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
  })
  for (const { roleRef, metadata } of clusterRoleBindings) assert.ok(role(roleRef?.name ?? ''), `${metadata?.name}`)
})
