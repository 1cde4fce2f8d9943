import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { requestInfo } from './request-info.ts'

const cases: [string, string, Partial<ReturnType<typeof requestInfo>>][] = [
  ['GET', '/api/v1/namespaces/a/pods', { verb: 'list', resource: 'pods', namespace: 'a', name: '' }],
  ['GET', '/api/v1/namespaces/a/pods/p', { verb: 'get', resource: 'pods', namespace: 'a', name: 'p' }],
  ['GET', '/api/v1/namespaces/a/pods?watch=true', { verb: 'watch', resource: 'pods', namespace: 'a' }],
  ['GET', '/api/v1/namespaces/a/pods?watch=0', { verb: 'list', resource: 'pods', namespace: 'a' }],
  ['GET', '/api/v1/watch/namespaces/a/pods', { verb: 'watch', resource: 'pods', namespace: 'a' }],
  ['GET', '/api/v1/watch/pods', { verb: 'watch', resource: 'pods', namespace: '' }],
  ['GET', '/api/v1/namespaces', { verb: 'list', resource: 'namespaces', namespace: '', name: '' }],
  ['GET', '/api/v1/namespaces/a', { verb: 'get', resource: 'namespaces', namespace: 'a', name: 'a' }],
  [
    'PUT',
    '/api/v1/namespaces/a/finalize',
    { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'finalize' },
  ],
  ['PATCH', '/api/v1/namespaces/a/status', { verb: 'patch', resource: 'namespaces', name: 'a', subresource: 'status' }],
  ['GET', '/api/v1/nodes?fieldSelector=metadata.name%3Dn1', { verb: 'list', resource: 'nodes', name: 'n1' }],
  [
    'POST',
    '/api/v1/namespaces/a/pods/p/binding',
    { verb: 'create', resource: 'pods', name: 'p', subresource: 'binding' },
  ],
  [
    'DELETE',
    '/apis/apps/v1/namespaces/a/deployments',
    { verb: 'deletecollection', group: 'apps', version: 'v1', resource: 'deployments' },
  ],
  [
    'DELETE',
    '/apis/apps/v1/namespaces/a/deployments/d',
    { verb: 'delete', group: 'apps', resource: 'deployments', name: 'd' },
  ],
  [
    'GET',
    '/api/v1/nodes/n/proxy/a/b',
    { verb: 'get', resource: 'nodes', subresource: 'proxy', parts: ['nodes', 'n', 'proxy', 'a', 'b'] },
  ],
  ['GET', '/api/v1', { isResourceRequest: false, verb: 'get' }],
  ['GET', '/apis/apps/v1', { isResourceRequest: false }],
  ['GET', '/healthz', { isResourceRequest: false }],
]

describe('requestInfo', () => {
  for (const [method, url, expected] of cases)
    it(`${method} ${url}`, () => {
      const [path, query] = url.split('?') as [string, string | undefined]
      const info = requestInfo(method, path, new URLSearchParams(query))
      const shown = Object.fromEntries(Object.keys(expected).map(key => [key, info[key as keyof typeof info]]))
      assert.deepEqual(shown, expected)
    })
})
