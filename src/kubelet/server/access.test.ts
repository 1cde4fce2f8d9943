import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import type { KubeObject } from '../../api/index.ts'
import { VirtualClock } from '../../base/index.ts'
import type { Client } from '../../client/index.ts'
import { createAccess } from './access.ts'

interface Spec {
  token?: string
  user?: string
  resourceAttributes?: { subresource: string; verb: string; name: string }
}

/** An API server that knows one token, and lets its owner see the node's stats. */
function asking() {
  const asked: Spec[] = []
  const create = async (_: unknown, { spec }: KubeObject & { spec: Spec }) => {
    asked.push(spec)
    if (spec.token !== undefined)
      return { status: spec.token === 'good' ? { authenticated: true, user: { username: 'ann', groups: ['a'] } } : {} }
    return { status: { allowed: spec.user === 'ann' && spec.resourceAttributes?.subresource === 'stats' } }
  }
  return { asked, client: { create } as unknown as Client }
}

const request = (method: string, token?: string, subject?: object) =>
  ({
    method,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    socket: { authorized: subject !== undefined, getPeerCertificate: () => ({ subject }) },
  }) as unknown as IncomingMessage

test('whoever asks the kubelet is judged by the API server, for a while', async () => {
  const { asked, client } = asking()
  const clock = new VirtualClock()
  const access = createAccess({ client, nodeName: 'n1', clock })
  await assert.rejects(access(request('GET'), '/pods'), { code: 401, message: 'Unauthorized' })
  await assert.rejects(access(request('GET', 'bad'), '/pods'), { code: 401, message: 'Unauthorized' })
  await access(request('GET', 'good'), '/stats/summary')
  await assert.rejects(access(request('GET', 'good'), '/pods'), {
    code: 403,
    message: 'Forbidden (user=ann, verb=get, resource=nodes, subresource(s)=[pods proxy])',
  })
  await assert.rejects(access(request('POST', 'good'), '/exec/default/p/c'), {
    code: 403,
    message: 'Forbidden (user=ann, verb=create, resource=nodes, subresource(s)=[proxy])',
  })
  const before = asked.length
  await access(request('GET', 'good'), '/stats/summary')
  assert.equal(asked.length, before)
  await clock.advance(5 * 60_000)
  await access(request('GET', 'good'), '/stats/summary')
  assert.equal(asked.length, before + 2)
})

test('a client certificate says who asks; the API server itself is let in unasked', async () => {
  const { asked, client } = asking()
  const access = createAccess({ client, nodeName: 'n1', clock: new VirtualClock() })
  await access(request('POST', undefined, { CN: 'kube-apiserver-kubelet-client', O: 'system:masters' }), '/exec/a/b/c')
  assert.equal(asked.length, 0)
  await access(request('GET', undefined, { CN: 'ann' }), '/stats/summary')
  assert.deepEqual(asked, [
    {
      user: 'ann',
      groups: ['system:authenticated'],
      resourceAttributes: {
        verb: 'get',
        group: '',
        version: 'v1',
        resource: 'nodes',
        name: 'n1',
        subresource: 'stats',
      },
    },
  ])
})
