import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { requestInfo } from '../pipeline/request-info.ts'
import { parsePolicy } from './load.ts'
import { judge } from './policy.ts'

const load = (text: string) => parsePolicy(Buffer.from(`apiVersion: audit.k8s.io/v1\nkind: Policy\n${text}`), 'p.yaml')

const level = async (rules: string, method: string, url: string, user = { name: 'jane', groups: ['dev'] }) => {
  const { pathname, searchParams } = new URL(url, 'https://x')
  return judge(await load(`rules: [${rules}]`), requestInfo(method, pathname, searchParams), user).level
}

describe('an audit policy', () => {
  const pod = '/api/v1/namespaces/a/pods/p'
  const cases: [rule: string, method: string, url: string, matches: boolean][] = [
    ['{level: Request}', 'GET', '/healthz', true],
    ['{level: Request, users: [jane]}', 'GET', pod, true],
    ['{level: Request, users: [joe]}', 'GET', pod, false],
    ['{level: Request, userGroups: [dev, ops]}', 'GET', pod, true],
    ['{level: Request, userGroups: [ops]}', 'GET', pod, false],
    ['{level: Request, verbs: [list]}', 'GET', pod, false],
    ['{level: Request, verbs: [list]}', 'GET', '/api/v1/pods', true],
    ['{level: Request, namespaces: [a]}', 'GET', pod, true],
    ['{level: Request, namespaces: [b]}', 'GET', pod, false],
    ['{level: Request, namespaces: [""]}', 'GET', '/api/v1/nodes', true],
    ['{level: Request, namespaces: [""]}', 'GET', '/healthz', false],
    ['{level: Request, resources: [{group: ""}]}', 'GET', pod, true],
    ['{level: Request, resources: [{group: apps}]}', 'GET', pod, false],
    ['{level: Request, resources: [{resources: [pods]}]}', 'GET', pod, true],
    ['{level: Request, resources: [{resources: [pods]}]}', 'GET', `${pod}/log`, false],
    ['{level: Request, resources: [{resources: [pods/log]}]}', 'GET', `${pod}/log`, true],
    ['{level: Request, resources: [{resources: ["pods/*"]}]}', 'GET', `${pod}/log`, true],
    ['{level: Request, resources: [{resources: ["pods/*"]}]}', 'GET', pod, false],
    ['{level: Request, resources: [{resources: ["*/log"]}]}', 'GET', `${pod}/log`, true],
    ['{level: Request, resources: [{resources: ["*"]}]}', 'GET', `${pod}/log`, true],
    ['{level: Request, resources: [{resources: [pods], resourceNames: [p]}]}', 'GET', pod, true],
    ['{level: Request, resources: [{resources: [pods], resourceNames: [q]}]}', 'GET', pod, false],
    ['{level: Request, nonResourceURLs: [/healthz]}', 'GET', '/healthz', true],
    ['{level: Request, nonResourceURLs: [/healthz]}', 'GET', '/healthz/etcd', false],
    ['{level: Request, nonResourceURLs: ["/healthz*"]}', 'GET', '/healthz/etcd', true],
    ['{level: Request, nonResourceURLs: ["*"]}', 'GET', pod, false],
  ]
  for (const [rule, method, url, matches] of cases)
    it(`${matches ? 'takes' : 'leaves'} ${method} ${url} by ${rule}`, async () => {
      assert.equal(await level(rule, method, url), matches ? 'Request' : 'None')
    })

  it('goes by the first rule that matches', async () => {
    assert.equal(await level('{level: None, users: [jane]}, {level: Metadata}', 'GET', pod), 'None')
    const policy = await load('omitStages: [RequestReceived]\nrules: [{level: Metadata, omitStages: [Panic]}]')
    const { omitted } = judge(policy, requestInfo('GET', pod, new URLSearchParams()), { name: '', groups: [] })
    assert.deepEqual([...omitted], ['RequestReceived', 'Panic'])
  })

  /** What kube-apiserver 1.36 says. */
  const wrong: [text: string, message: string][] = [
    ['', 'loaded illegal policy with 0 rules'],
    [
      'rules: [{level: Foo}]',
      'rules[0].level: Unsupported value: "Foo": supported values: "None", "Metadata", "Request", "RequestResponse"',
    ],
    [
      'rules: [{level: Metadata, nonResourceURLs: [foo, /a*b], resources: [{group: ""}]}]',
      '[rules[0].nonResourceURLs[0]: Invalid value: "foo": non-resource URL rules must begin with a \'/\' character, rules[0].nonResourceURLs[1]: Invalid value: "/a*b": non-resource URL wildcards \'*\' must be the final character of the rule, rules[0].nonResourceURLs: Invalid value: ["foo","/a*b"]: rules cannot apply to both regular resources and non-resource URLs]',
    ],
    [
      'omitStages: [Foo]\nrules: [{level: Metadata, resources: [{group: x, resourceNames: [a]}]}]',
      '[omitStages[0]: Invalid value: "Foo": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic, rules[0].resources.resourceNames: Invalid value: ["a"]: using resourceNames requires at least one resource]',
    ],
  ]
  for (const [text, message] of wrong)
    it(`is refused: ${text}`, async () => {
      await assert.rejects(load(text), { message: `loading audit policy file: ${message}: from file p.yaml` })
    })
})
