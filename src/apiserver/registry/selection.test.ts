import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KubeObject, type Resource, resources } from '../../api/index.ts'
import type { Entry } from '../../store/index.ts'
import { encode } from './encode.ts'
import { selection } from './selection.ts'
import { type Served, serve } from './served.ts'
import { newStrategies } from './testing.ts'

const served = (resource: unknown): Served =>
  serve(resource as Resource, newStrategies().strategyFor(resource as Resource))

function entryOf(of: Served, draft: object, revision: number): Entry {
  const { object } = of.codec.decode({ ...draft, kind: of.resource.kind, apiVersion: 'v1' } as KubeObject)
  return { key: `${of.prefix}${revision}`, value: encode(of, object), createRevision: revision, modRevision: revision }
}

const pods: object[] = [
  { metadata: { name: 'bare', namespace: 'default' } },
  { metadata: { name: 'web', namespace: 'default', labels: { app: 'web', tier: 'front' } }, spec: { nodeName: 'one' } },
  { metadata: { name: 'db', namespace: 'other', labels: { app: 'db', web: 'app' } }, spec: { nodeName: 'two' } },
  { metadata: { name: 'one', namespace: 'default', labels: { 'example.com/app': 'web', app: '' } } },
  { metadata: { name: 'host', namespace: 'default' }, spec: { hostNetwork: true }, status: { phase: 'Running' } },
  { metadata: { name: 'quoted', namespace: 'default', annotations: { note: '"app":"web" one' } } },
]

const podSelectors: { labelSelector?: string; fieldSelector?: string }[] = [
  { labelSelector: 'app=web' },
  { labelSelector: 'app==db,web' },
  { labelSelector: 'app in (web,db)' },
  { labelSelector: 'app in ()' },
  { labelSelector: 'app' },
  { labelSelector: '!app' },
  { labelSelector: 'app!=web' },
  { labelSelector: 'app notin (web)' },
  { labelSelector: 'example.com/app=web' },
  { labelSelector: 'app=' },
  { fieldSelector: 'spec.nodeName=one' },
  { fieldSelector: 'spec.nodeName=' },
  { fieldSelector: 'spec.nodeName!=one' },
  { fieldSelector: 'spec.hostNetwork=false' },
  { fieldSelector: 'spec.hostNetwork=true' },
  { fieldSelector: 'status.phase=Running' },
  { fieldSelector: 'status.phase!=Running,metadata.namespace=default' },
  { fieldSelector: 'metadata.namespace=other', labelSelector: 'app' },
]

describe('selection', () => {
  const of = served(resources.pods)
  const entries = pods.map((pod, index) => entryOf(of, pod, index + 1))
  for (const selectors of podSelectors) {
    const query = new URLSearchParams(selectors)
    it(`filters many as it judges one: ${query}`, () => {
      const selected = selection(of, query)
      // What judging one remembers must not answer for the other.
      const filtered = selected.filter(entries)
      assert.deepEqual(filtered, entries.filter(selected.matches))
      assert.deepEqual(selected.filter(entries), filtered)
    })
  }

  it('finds what a field says without being there', () => {
    const of = served(resources.nodes)
    const entries = [{}, { unschedulable: true }].map((spec, index) =>
      entryOf(of, { metadata: { name: `node-${index}` }, spec }, index + 1),
    )
    const chosen = (value: boolean) =>
      selection(of, new URLSearchParams({ fieldSelector: `spec.unschedulable=${value}` })).filter(entries)
    assert.deepEqual(chosen(false), entries.slice(0, 1))
    assert.deepEqual(chosen(true), entries.slice(1))
  })
})
