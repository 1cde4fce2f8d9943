import assert from 'node:assert/strict'
import { json as readJson } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import type { apiextensions, KubeObject } from '../../src/api/index.ts'
import { type Call, caller, startTestApiServer, type TestApiServer, watcher } from '../support/apiserver.ts'
import { eventually } from '../support/eventually.ts'
import { adminKubeconfig, tryKubectl } from '../support/kubectl.ts'
import { startWebhookServer, type WebhookServer } from '../support/webhook.ts'

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets'

const string = { type: 'string' }
const integer = { type: 'integer' }

/** A definition with a bit of everything. */
const widgets = (change: { spec?: object; version?: object } = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'], categories: ['all'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'A Widget is a thing of some size.',
            properties: {
              spec: {
                type: 'object',
                description: 'What is wanted.',
                required: ['size'],
                properties: {
                  size: { ...integer, minimum: 1, description: 'How large it is.' },
                  color: { ...string, default: 'red', pattern: '^[a-z]+$' },
                  replicas: { ...integer, format: 'int32' },
                  port: { 'x-kubernetes-int-or-string': true },
                  tags: { type: 'array', items: string, 'x-kubernetes-list-type': 'set' },
                },
              },
              status: { type: 'object', properties: { ready: integer, selector: string } },
            },
          },
        },
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.ready',
            labelSelectorPath: '.status.selector',
          },
        },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Color', type: 'string', jsonPath: '.spec.color', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        selectableFields: [{ jsonPath: '.spec.color' }],
        ...change.version,
      },
    ],
    ...change.spec,
  },
})

/** The beginning of an object of a group below example.com. */
const made = (group: string, kind: string, name: string) => ({
  apiVersion: `${group}.example.com/v1`,
  kind,
  metadata: { name },
})

const widget = (name: string, spec: object = { size: 3 }, rest: object = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
  ...rest,
})

describe('custom resources', () => {
  let server: TestApiServer
  let call: Call
  let kubeconfig: string
  let removeKubeconfig: () => Promise<void>
  const kubectl = async (args: string[], input = '') => {
    const { code, stdout, stderr } = await tryKubectl({ kubeconfig }, args, input)
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    ;({ kubeconfig, remove: removeKubeconfig } = await adminKubeconfig(server))
    await kubectl(['apply', '-f', '-'], JSON.stringify(widgets()))
    await kubectl(['wait', '--for=condition=Established', 'crd/widgets.example.com', '--timeout=5s'])
  })
  after(async () => {
    await removeKubeconfig?.()
    await server?.stop()
  })

  const created = async (name: string, spec?: object) => {
    const answer = await call('POST', WIDGETS, { body: widget(name, spec) })
    assert.equal(answer.status, 201, answer.text)
    return answer.json
  }
  const refusal = async (body: object, path = WIDGETS) => {
    const { status, json } = await call('POST', path, { body })
    assert.equal(status, 422)
    return json.message as string
  }

  it('tells in the status of the definition what has become of it', async () => {
    const { status } = (await call('GET', `${CRDS}/widgets.example.com`)).json
    assert.deepEqual(status.acceptedNames, {
      plural: 'widgets',
      singular: 'widget',
      kind: 'Widget',
      listKind: 'WidgetList',
      shortNames: ['wd'],
      categories: ['all'],
    })
    assert.deepEqual(status.storedVersions, ['v1'])
    const brief = status.conditions.map((each: Record<string, string>) => [each.type, each.status, each.reason])
    assert.deepEqual(brief, [
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ])
  })

  it('prunes, fills in defaults and counts generations', async () => {
    const { metadata, spec, status } = await created('plain', { size: 1, unknown: true })
    assert.deepEqual([metadata.generation, spec, status], [1, { size: 1, color: 'red' }, undefined])
    const path = `${WIDGETS}/plain`
    const type = 'application/merge-patch+json'
    const changed = await call('PATCH', path, { body: { spec: { size: 2 } }, type })
    assert.equal(changed.json.metadata.generation, 2)
    const reported = await call('PATCH', `${path}/status`, { body: { status: { ready: 1 }, spec: { size: 9 } }, type })
    assert.deepEqual(
      [reported.json.metadata.generation, reported.json.spec.size, reported.json.status],
      [2, 2, { ready: 1 }],
    )
    const strict = await call('POST', `${WIDGETS}?fieldValidation=Strict`, {
      body: widget('b', { size: 1, unknown: 1 }),
    })
    assert.equal(strict.status, 400)
    assert.match(strict.json.message, /strict decoding error: unknown field "spec\.unknown"/)
  })

  it('validates as upstream does', async () => {
    assert.equal(
      await refusal(widget('bad', { color: 'X', port: true, size: 0, tags: ['a', 'a'] })),
      'Widget.example.com "bad" is invalid: [spec.color: Invalid value: "X": spec.color in body should match \'^[a-z]+$\', ' +
        'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean", ' +
        'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1, ' +
        'spec.tags[1]: Duplicate value: "a"]',
    )
  })

  it('refuses an update without a version, and a strategic merge', async () => {
    await created('strict')
    const path = `${WIDGETS}/strict`
    const put = await call('PUT', path, { body: widget('strict') })
    assert.match(put.json.message, /metadata.resourceVersion: Invalid value: .*: must be specified for an update/)
    const patch = await call('PATCH', path, { body: {}, type: 'application/strategic-merge-patch+json' })
    assert.equal(patch.status, 415)
  })

  it('is shown by kubectl with its columns, names, category and fields', async () => {
    await created('shown', { size: 7, color: 'blue' })
    const wide = await kubectl(['get', 'wd', 'shown', '-o', 'wide'])
    assert.match(wide, /^NAME +SIZE +COLOR +AGE\nshown +7 +blue +\d+s\n$/)
    assert.match(await kubectl(['get', 'all']), /widget\.example\.com\/shown +7/)
    assert.match(
      await kubectl(['get', 'widgets', '--field-selector=spec.color=blue', '-o', 'name']),
      /^widget\S+shown\n$/,
    )
    assert.match(await kubectl(['explain', 'widget.spec']), /size\s+<integer> -required-\n\s+How large it is\./)
    assert.match(await kubectl(['explain', 'widget', '--recursive']), /replicas\s+<integer>/)
  })

  it('is applied, patched, scaled and deleted by kubectl', async () => {
    const object = widget('applied', { size: 1, replicas: 2 })
    await kubectl(['apply', '-f', '-'], JSON.stringify(object))
    await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(widget('served', { size: 1 })))
    const { code, stderr } = await tryKubectl(
      { kubeconfig },
      ['apply', '-f', '-'],
      JSON.stringify(widget('applied', { size: 1, typo: 1 })),
    )
    assert.equal(code, 1)
    assert.match(stderr, /unknown field "spec\.typo"/)
    await kubectl([
      'patch',
      'widget',
      'applied',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/size","value":5}]',
    ])
    await kubectl(['scale', 'widget/applied', '--replicas=4'])
    const { spec } = JSON.parse(await kubectl(['get', 'widget', 'applied', '-o', 'json']))
    assert.deepEqual([spec.size, spec.replicas], [5, 4])
    await kubectl(['delete', 'widget', 'applied', 'served'])
  })

  it('is watched, from its entry into a selection on', async () => {
    const watch = await watcher(server)(`${WIDGETS}?watch=true&fieldSelector=spec.color%3Dgreen`)
    await created('turning')
    await call('PATCH', `${WIDGETS}/turning`, {
      body: { spec: { color: 'green' } },
      type: 'application/merge-patch+json',
    })
    const { type, object } = await watch.next()
    assert.deepEqual([type, object.metadata.name], ['ADDED', 'turning'])
    watch.close()
  })

  it('shows all objects as a new schema has them', async () => {
    const name = 'gadgets.evolving.example.com'
    const schema = (properties: object) => ({
      openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
    })
    const definition = {
      ...widgets(),
      metadata: { name },
      spec: {
        group: 'evolving.example.com',
        scope: 'Cluster',
        names: { plural: 'gadgets', kind: 'Gadget' },
        versions: [{ name: 'v1', served: true, storage: true, schema: schema({ old: string }) }],
      },
    }
    await kubectl(['apply', '-f', '-'], JSON.stringify(definition))
    await kubectl(['wait', '--for=condition=Established', `crd/${name}`, '--timeout=5s'])
    const path = '/apis/evolving.example.com'
    await call('POST', `${path}/v1/gadgets`, { body: { ...made('evolving', 'Gadget', 'a'), spec: { old: 'x' } } })
    definition.spec.versions[0]!.schema = schema({ fresh: { type: 'integer', default: 5 } })
    definition.spec.versions[0]!.storage = false
    definition.spec.versions.push({
      name: 'v2',
      served: true,
      storage: true,
      schema: schema({ fresh: { ...integer, default: 6 } }),
    })
    await kubectl(['apply', '-f', '-'], JSON.stringify(definition))
    await eventually(async () => assert.equal((await call('GET', `${path}/v2/gadgets`)).status, 200))
    const [first, second] = await Promise.all(['v1', 'v2'].map(version => call('GET', `${path}/${version}/gadgets/a`)))
    assert.deepEqual([first!.json.apiVersion, first!.json.spec], ['evolving.example.com/v1', { fresh: 5 }])
    assert.deepEqual([second!.json.apiVersion, second!.json.spec], ['evolving.example.com/v2', { fresh: 6 }])
    const [listed] = (await call('GET', `${path}/v2/gadgets`)).json.items
    assert.deepEqual([listed.kind, listed.apiVersion, listed.spec], ['Gadget', 'evolving.example.com/v2', { fresh: 6 }])
    // Written again as it is, it is stored in the new version.
    await call('PUT', `${path}/v1/gadgets/a`, { body: first!.json })
    const entry = await server.store.get('/registry/evolving.example.com/gadgets/a')
    assert.match(Buffer.from(entry!.value).toString(), /^\{"kind":"Gadget","apiVersion":"evolving.example.com\/v2",/)
    const { status } = (await call('GET', `${CRDS}/${name}`)).json
    assert.deepEqual(status.storedVersions, ['v1', 'v2'])
    await kubectl(['delete', 'crd', name, '--timeout=10s'])
    assert.equal(await server.store.count('/registry/evolving.example.com/'), 0)
  })

  it('ends the watches on objects whose definition has changed', async () => {
    const name = 'passings.passing.example.com'
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name },
      spec: {
        group: 'passing.example.com',
        scope: 'Cluster',
        names: { plural: 'passings', kind: 'Passing', listKind: 'Passed' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', description: 'one' } },
          },
        ],
      },
    }
    assert.equal((await call('POST', CRDS, { body: definition })).status, 201)
    const path = '/apis/passing.example.com/v1/passings'
    await eventually(async () => assert.equal((await call('GET', path)).status, 200))
    const { kind, metadata } = (await call('GET', path)).json
    assert.deepEqual([kind, metadata.continue], ['Passed', ''])
    const ended = call('GET', `${path}?watch=true&resourceVersion=${metadata.resourceVersion}`)
    const body = [
      {
        op: 'replace',
        path: '/spec/versions/0/schema',
        value: { openAPIV3Schema: { type: 'object', description: 'two' } },
      },
    ]
    await call('PATCH', `${CRDS}/${name}`, { body, type: 'application/json-patch+json' })
    assert.deepEqual([(await ended).status, (await ended).text], [200, ''])
    const going = call('GET', `${path}?watch=true`)
    await call('DELETE', `${CRDS}/${name}`)
    assert.equal((await going).status, 200)
  })

  it('does not give two definitions the same name', async () => {
    const other = {
      ...widgets({ spec: { names: { plural: 'things', kind: 'Thing', shortNames: ['wd'] } } }),
      metadata: { name: 'things.example.com' },
    }
    assert.equal((await call('POST', CRDS, { body: other })).status, 201)
    await eventually(async () => {
      const { status } = (await call('GET', `${CRDS}/things.example.com`)).json
      const names = status.conditions?.find(({ type }: { type: string }) => type === 'NamesAccepted')
      assert.deepEqual(
        [names?.status, names?.reason, names?.message],
        ['False', 'ShortNamesConflict', '"wd" is already in use'],
      )
    })
    assert.equal((await call('GET', '/apis/example.com/v1/things')).status, 404)
    await call('DELETE', `${CRDS}/things.example.com`)
  })

  it('refuses definitions that are not structural', async () => {
    const schema = {
      openAPIV3Schema: { type: 'object', properties: { spec: { properties: { a: { type: 'strin' } } } } },
    }
    assert.equal(
      await refusal(
        { ...widgets({ version: { schema, selectableFields: undefined } }), metadata: { name: 'wrong' } },
        CRDS,
      ),
      'CustomResourceDefinition.apiextensions.k8s.io "wrong" is invalid: [' +
        'metadata.name: Invalid value: "wrong": must be spec.names.plural+"."+spec.group, ' +
        'spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields, ' +
        'spec.validation.openAPIV3Schema.properties[spec].properties[a].type: Unsupported value: "strin": supported values: ' +
        '"array", "boolean", "integer", "number", "object", "string"]',
    )
  })

  it('is there again when another server takes over', async () => {
    await created('kept')
    const other = await startTestApiServer({ store: server.store })
    const { json } = await caller(other)('GET', `${WIDGETS}/kept`)
    await other.stop()
    assert.deepEqual(json.spec, { size: 3, color: 'red' })
  })

  it('goes with its definition, once its finalizers are gone', async () => {
    const held = await call('POST', WIDGETS, {
      body: { ...widget('held'), metadata: { name: 'held', finalizers: ['a.b/c'] } },
    })
    assert.equal(held.status, 201)
    await call('DELETE', `${CRDS}/widgets.example.com`)
    await eventually(async () => {
      const { items } = (await call('GET', WIDGETS)).json
      assert.deepEqual(
        items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
        ['held'],
      )
    })
    const refused = await call('POST', WIDGETS, { body: widget('late') })
    assert.deepEqual(
      [refused.status, refused.json.message],
      [
        403,
        'widgets.example.com "late" is forbidden: create not allowed while custom resource definition is terminating',
      ],
    )
    await call('PATCH', `${WIDGETS}/held`, {
      body: { metadata: { finalizers: null } },
      type: 'application/merge-patch+json',
    })
    await eventually(async () => assert.equal((await call('GET', `${CRDS}/widgets.example.com`)).status, 404))
    assert.equal((await call('GET', WIDGETS)).status, 404)
    assert.doesNotMatch(await kubectl(['api-resources']), /Widget/)
  })

  it('follows the rules of its definition', async () => {
    const name = 'ruled.rules.example.com'
    const rule = (...rules: object[]) => ({
      metadata: { name },
      spec: {
        group: 'rules.example.com',
        scope: 'Cluster',
        names: { plural: 'ruled', kind: 'Ruled' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: {
                    type: 'object',
                    properties: { min: integer, max: integer },
                    'x-kubernetes-validations': rules,
                  },
                },
              },
            },
          },
        ],
      },
    })
    assert.match(
      await refusal(rule({ rule: 'self.mim < self.max' }), CRDS),
      /spec\.validation\.openAPIV3Schema\.properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: Invalid value: .*: compilation failed: ERROR: <input>:1:5: undefined field 'mim'/,
    )
    const definition = rule(
      { rule: 'self.min <= self.max', messageExpression: "'min %d is above max %d'.format([self.min, self.max])" },
      { rule: 'self.max >= oldSelf.max', message: 'max must not shrink', fieldPath: '.max' },
    )
    assert.equal((await call('POST', CRDS, { body: definition })).status, 201)
    const path = '/apis/rules.example.com/v1/ruled'
    await eventually(async () => assert.equal((await call('GET', path)).status, 200))
    assert.equal(
      await refusal({ ...made('rules', 'Ruled', 'a'), spec: { min: 3, max: 2 } }, path),
      'Ruled.rules.example.com "a" is invalid: spec: Invalid value: min 3 is above max 2',
    )
    assert.equal(
      (await call('POST', path, { body: { ...made('rules', 'Ruled', 'a'), spec: { min: 1, max: 5 } } })).status,
      201,
    )
    const shrunk = await call('PATCH', `${path}/a`, {
      body: { spec: { max: 4 } },
      type: 'application/merge-patch+json',
    })
    assert.equal(
      shrunk.json.message,
      'Ruled.rules.example.com "a" is invalid: spec.max: Invalid value: max must not shrink',
    )
  })
})

describe('conversion of custom resources by a webhook', () => {
  const ITEMS = '/apis/conversion.example.com'
  let server: TestApiServer
  let call: Call
  let hook: WebhookServer
  /** The temperature in degrees in v1, and in tenths of them in v2. */
  const convert = (object: KubeObject & { spec: { degrees?: number; tenths?: number } }, apiVersion: string) => {
    const { degrees, tenths } = object.spec
    const spec = apiVersion.endsWith('v2') ? { tenths: (degrees ?? 0) * 10 } : { degrees: (tenths ?? 0) / 10 }
    return { ...object, apiVersion, spec }
  }

  before(async () => {
    server = await startTestApiServer()
    call = caller(server)
    hook = await startWebhookServer(server.pki.serving)
    hook.raw = async (request, response) => {
      const { apiVersion, kind, request: asked } = (await readJson(request)) as apiextensions.ConversionReview
      const convertedObjects = asked!.objects.map(object => convert(object as never, asked!.desiredAPIVersion))
      const result = { status: 'Success' }
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify({ apiVersion, kind, response: { uid: asked!.uid, convertedObjects, result } }))
    }
    const version = (name: string, storage: boolean, field: string) => ({
      name,
      storage,
      served: true,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: { spec: { type: 'object', properties: { [field]: { type: 'number' } } } },
        },
      },
    })
    const definition = {
      metadata: { name: 'rooms.conversion.example.com' },
      spec: {
        group: 'conversion.example.com',
        scope: 'Namespaced',
        names: { plural: 'rooms', kind: 'Room' },
        versions: [version('v1', false, 'degrees'), version('v2', true, 'tenths')],
        conversion: {
          strategy: 'Webhook',
          webhook: {
            conversionReviewVersions: ['v1'],
            clientConfig: {
              url: `https://127.0.0.1:${hook.port}/convert`,
              caBundle: Buffer.from(server.ca).toString('base64'),
            },
          },
        },
      },
    }
    assert.equal((await call('POST', CRDS, { body: definition })).status, 201)
    await eventually(async () => assert.equal((await call('GET', `${ITEMS}/v1/rooms`)).status, 200))
  })
  after(async () => {
    await hook?.stop()
    await server?.stop()
  })

  it('shows and keeps each version as it should be', async () => {
    const path = (version: string) => `${ITEMS}/${version}/namespaces/default/rooms`
    const watch = await watcher(server)(`${path('v1')}?watch=true`)
    const body = { ...made('conversion', 'Room', 'a'), spec: { degrees: 21 } }
    const room = await call('POST', path('v1'), { body })
    assert.deepEqual(
      [room.status, room.json.apiVersion, room.json.spec],
      [201, 'conversion.example.com/v1', { degrees: 21 }],
    )
    const stored = await server.store.get('/registry/conversion.example.com/rooms/default/a')
    assert.deepEqual(JSON.parse(Buffer.from(stored!.value).toString()).spec, { tenths: 210 })
    assert.deepEqual((await call('GET', `${path('v2')}/a`)).json.spec, { tenths: 210 })
    const patch = { body: { spec: { tenths: 195 } }, type: 'application/merge-patch+json' }
    assert.deepEqual((await call('PATCH', `${path('v2')}/a`, patch)).json.spec, { tenths: 195 })
    const { items } = (await call('GET', path('v1'))).json
    assert.deepEqual(
      items.map(({ spec }: { spec: object }) => spec),
      [{ degrees: 19.5 }],
    )
    const seen = [await watch.next(), await watch.next()].map(({ type, object }) => [type, object.spec])
    assert.deepEqual(seen, [
      ['ADDED', { degrees: 21 }],
      ['MODIFIED', { degrees: 19.5 }],
    ])
    watch.close()
  })

  it('says why it could not', async () => {
    const answer = hook.raw
    hook.raw = (_, response) => void response.writeHead(500).end('out of order')
    const { status, json } = await call('POST', `${ITEMS}/v1/namespaces/default/rooms`, {
      body: made('conversion', 'Room', 'b'),
    })
    hook.raw = answer
    assert.equal(status, 500)
    assert.match(json.message, /^conversion webhook for conversion\.example\.com\/v1, Kind=Room failed: /)
  })
})
