import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { allResources, apiVersion, model, type ValueModel } from '../../api/index.ts'
import { seededRandom } from '../../base/index.ts'
import { codecFor, DecodeError } from '../codec.ts'
import { SyntaxProblem } from '../json.ts'
import { randomObject } from '../testing.ts'
import { encodeMessage } from './encode.ts'
import { encodeProtobuf, envelope, listEnvelope, listItem, parseProtobuf, watchFrame } from './envelope.ts'
import { WireWriter } from './wire-writer.ts'

type JsonObject = Record<string, unknown>

const hex = (type: string, object: unknown) => encodeMessage(type, object).toString('hex')
const decoded = (type: string, body: Uint8Array) => codecFor(type).decode(parseProtobuf(body, type).value).object
const canonical = (type: string, object: unknown) => codecFor(type).encode(codecFor(type).decode(object).object)
const POD = { apiVersion: 'v1', kind: 'Pod' }

/** One field on the wire: text and messages as bytes, anything else as a varint. */
function field(tag: number, value: number | bigint | string | Buffer): Buffer {
  const writer = new WireWriter()
  if (typeof value === 'number' || typeof value === 'bigint') writer.varint(tag, value)
  else writer.bytes(tag, Buffer.from(value as string))
  return writer.finish()
}

const message = (...fields: Buffer[]) => Buffer.concat(fields)

describe('protobuf beside upstream', () => {
  // Each line was made by the Marshal that k8s.io/api 0.36.3 generates for the type.
  const lines = readFileSync(new URL('./testdata/upstream.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const cases = lines.map(line => JSON.parse(line) as { type: string; object: typeof POD; body: string })

  it('writes every kind in the same bytes', () => {
    for (const { type, object, body } of cases)
      assert.equal(encodeProtobuf(type, object).toString('base64'), body, `${type} ${JSON.stringify(object)}`)
  })

  it('reads every kind, and writes it again in the same bytes', () => {
    for (const { type, body } of cases) {
      const object = decoded(type, Buffer.from(body, 'base64'))
      assert.equal(encodeProtobuf(type, object).toString('base64'), body, `${type} ${JSON.stringify(object)}`)
    }
  })

  it('is shown every kind that is served', () => {
    const shown = new Set(cases.map(({ type }) => type))
    assert.deepEqual(
      allResources.map(({ type }) => type).filter(type => !shown.has(type)),
      [],
    )
  })
})

/** Hexadecimal with room in it, to be read. */
const bytes = (text: string) => text.replaceAll(' ', '')
const text = (value: string) => Buffer.from(value).toString('hex')
const sized = (content: string) => `${(bytes(content).length / 2).toString(16).padStart(2, '0')}${bytes(content)}`

describe('protobuf by hand', () => {
  it('writes what Go has no pointer to, zero or not, and nothing else', () => {
    const metadata = '0a0161 1200 1a00 2200 2a00 3200 3800 4200'
    const spec = '1a00 3200 4200 4a00 5200 5800 6000 6800 820100 8a0100 9a0100 c20100'
    const status = '0a00 1a00 2200 2a00 3200 4a00 5a00 7200 880100'
    assert.equal(
      hex('core/v1.Pod', { metadata: { name: 'a' }, spec: { containers: [] } }),
      bytes(`0a${sized(metadata)} 12${sized(spec)} 1a${sized(status)}`),
    )
  })

  it('writes the fields of pointers when they are there, in the order of their numbers', () => {
    const metadata = '0a00 1200 1a00 2200 2a00 3200 3800 4200'
    const pod = '1a00 3200 4200 4a00 5200 5800 6000 6800 820100 8a0100 9a0100 c20100'
    const template = `0a${sized(metadata)} 12${sized(pod)}`
    // replicas, selector, template, strategy, minReadySeconds, paused
    assert.equal(
      hex('apps/v1.DeploymentSpec', { paused: true, replicas: 0, minReadySeconds: 5, selector: {} }),
      bytes(`0800 1200 1a${sized(template)} 22020a00 2805 3801`),
    )
  })

  it('writes the types with a form of their own in JSON', () => {
    // 1767225600 seconds and, of a MicroTime, 123000 nanoseconds.
    assert.equal(
      hex('meta/v1.Condition', { lastTransitionTime: '2026-01-01T00:00:00Z' }),
      bytes('0a00 1200 1800 22 08 08 80f2d6ca06 10 00 2a00 3200'),
    )
    assert.equal(
      hex('core/v1.EventSeries', { count: 1, lastObservedTime: '2026-01-01T00:00:00.000123Z' }),
      bytes('0801 12 0a 08 80f2d6ca06 10 f8c007'),
    )
    const quantity = (key: string, value: string) =>
      sized(`0a${sized(text(key))} 12${sized(`0a${sized(text(value))}`)}`)
    assert.equal(
      hex('core/v1.ResourceRequirements', { limits: { memory: '64Mi', cpu: '500m' } }),
      `0a${quantity('cpu', '500m')}0a${quantity('memory', '64Mi')}`,
    )
    assert.equal(
      hex('core/v1.HTTPGetAction', { port: 'web' }),
      bytes(`0a00 12 09 0801 1000 1a03${text('web')} 1a00 2200`),
    )
    assert.equal(hex('core/v1.HTTPGetAction', { port: 80 }), bytes('0a00 12 06 0800 1050 1a00 1a00 2200'))
    assert.equal(
      hex('authentication/v1.UserInfo', { extra: { k: ['v'] } }),
      bytes('0a00 1200 22 08 0a016b 12 03 0a0176'),
    )
    assert.ok(
      hex('apps/v1.ControllerRevision', { data: { a: 1 } }).endsWith(bytes(`12 09 0a07 ${text('{"a":1}')} 1800`)),
    )
    assert.equal(hex('core/v1.Volume', { name: 'v', emptyDir: {} }), bytes('0a0176 12 04 12 02 0a00'))
    const schema = hex('apiextensions/v1.JSONSchemaProps', { items: { type: 'string' }, additionalProperties: false })
    assert.ok(schema.includes(`2a${sized(text('string'))}`) && schema.includes('f2 01 02 08 00'.replaceAll(' ', '')))
  })

  it('reads what is repeated, in parts, packed, or not known', () => {
    const read = (type: string, ...fields: Buffer[]) => {
      const body = envelope({ apiVersion: '', kind: '' }, message(...fields))
      return parseProtobuf(body, type).value as JsonObject
    }
    const meta = (...fields: Buffer[]) => field(1, message(...fields))
    // The later of two scalars counts, structs are merged.
    const twice = read('core/v1.Pod', meta(field(1, 'a'), field(1, 'b')), meta(field(3, 'c')))
    assert.deepEqual(twice.metadata, { name: 'b', namespace: 'c' })
    const packed = field(4, message(Buffer.from([1, 2]), Buffer.from([0x80, 0x01])))
    assert.deepEqual(read('core/v1.PodSecurityContext', packed, field(4, 5n)).supplementalGroups, [1, 2, 128, 5])
    const unknown = message(field(1000, 'x'), field(1001, 7))
    assert.deepEqual(read('core/v1.Pod', unknown, meta(field(1, 'a'))).metadata, { name: 'a' })
    assert.throws(() => read('core/v1.Pod', field(1, 7)), /proto: wrong wireType = 0 for field Metadata/)
  })

  it('frames the events of a watch, and what is in a list', () => {
    const body = encodeProtobuf('core/v1.Pod', { ...POD, metadata: { name: 'a' } } as typeof POD)
    assert.equal(body.subarray(0, 4).toString('latin1'), 'k8s\0')
    const frame = watchFrame('ADDED', body)
    assert.equal(frame.readUInt32BE(0), frame.length - 4)
    assert.deepEqual(frame.subarray(4), message(field(1, 'ADDED'), field(2, field(1, body))))
    const item = listItem(encodeMessage('core/v1.Pod', { metadata: { name: 'a' } }))
    const of = { apiVersion: 'v1', kind: 'PodList' }
    const { head, tail } = listEnvelope(of, { resourceVersion: '7' }, item.length)
    const list = { ...of, metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'a' } }] }
    assert.deepEqual(message(head, item, tail), encodeProtobuf('core/v1.PodList', list))
  })
})

/** What protobuf carries of a JSON value: no kinds within, and no difference between an empty list or map and none. */
function carried(value: ValueModel, json: unknown): unknown {
  if (json === null || json === undefined) return undefined
  if (value.kind === 'struct') {
    const object: JsonObject = {}
    for (const each of model.type(value.type).fields) {
      const kept = each.tag === undefined ? undefined : carried(each, (json as JsonObject)[each.name])
      // Go has a zero here, which JSON keeps silent about until defaults have filled it in.
      const zero = each.kind === 'intOrString' && !each.pointer ? 0 : undefined
      if (kept !== undefined || zero !== undefined) object[each.name] = kept ?? zero
    }
    return object
  }
  if (value.kind === 'list') {
    const items = (json as unknown[]).map(item => carried(value.items!, item) ?? null)
    return items.length || !value.goType.startsWith('[') ? items : undefined
  }
  if (value.kind === 'map') {
    const entries = Object.entries(json as object).map(([key, item]) => [key, carried(value.items!, item) ?? null])
    return entries.length ? Object.fromEntries(entries) : undefined
  }
  return json
}

describe('protobuf of random objects', () => {
  const types = [...new Set(allResources.flatMap(({ type }) => [type, `${type}List`]))].filter(model.has)

  it('says of every kind what JSON says', () => {
    const random = seededRandom(20261123)
    for (const type of types)
      for (let round = 0; round < 8; round++) {
        const root: ValueModel = { kind: 'struct', type, goType: type }
        const { object } = codecFor(type).decode(carried(root, randomObject(type, random)))
        const before = codecFor(type).encode(object).toString()
        const body = envelope({ apiVersion: '', kind: '' }, encodeMessage(type, JSON.parse(before)))
        const after = canonical(type, parseProtobuf(body, type).value)
        assert.deepEqual(JSON.parse(after.toString()), JSON.parse(before), type)
        assert.equal(after.toString(), before)
      }
  })

  it('refuses what is cut off anywhere', () => {
    const random = seededRandom(7)
    for (const { type, kind, ...resource } of allResources) {
      const { object } = codecFor(type).decode(randomObject(type, random))
      const body = encodeProtobuf(type, { ...object, kind, apiVersion: apiVersion(resource) })
      for (let length = 0; length < body.length; length += 1 + Math.floor(random.next() * 20)) {
        try {
          decoded(type, body.subarray(0, length))
        } catch (error) {
          assert.ok(error instanceof DecodeError || error instanceof SyntaxProblem, `${type}: ${error}`)
        }
      }
    }
    const whole = encodeProtobuf('core/v1.Pod', { ...POD, metadata: { name: 'a' } } as typeof POD)
    assert.throws(() => decoded('core/v1.Pod', whole.subarray(0, 30)), {
      name: 'SyntaxProblem',
      message: 'unexpected EOF',
    })
  })
})

describe('malformed protobuf', () => {
  const pod = (raw: Buffer) => () => parseProtobuf(envelope(POD, raw), 'core/v1.Pod')

  it('is no object', () => {
    const refused = (body: Buffer, text: string) =>
      assert.throws(() => parseProtobuf(body, 'core/v1.Pod'), { name: 'SyntaxProblem', message: text })
    refused(Buffer.alloc(0), 'empty data')
    refused(Buffer.from('k8s\0'), 'empty body')
    refused(
      Buffer.from('{"kind":"Pod"}'),
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    )
    refused(Buffer.from('k8s\0\x0a\x7f'), 'unexpected EOF')
  })

  it('is an object with a fault', () => {
    const refused = (raw: Buffer, message: string) => assert.throws(pod(raw), { name: 'DecodeError', message })
    refused(Buffer.from([0x0a, 0x05, 0x0a]), 'unexpected EOF')
    refused(Buffer.alloc(11, 0x80), 'proto: integer overflow')
    refused(Buffer.from([0x0c]), 'proto: wiretype end group for non-group')
    refused(Buffer.from([0x00]), 'proto: illegal tag 0 (wire type 0)')
    refused(Buffer.from([((99 << 3) % 128) | 0x80 | 7, 6]), 'proto: illegal wireType 7')
    refused(
      message(Buffer.from([0x0a]), Buffer.alloc(9, 0xff), Buffer.from([1])),
      'proto: negative length found during unmarshaling',
    )
  })

  it('is read no further than its kind when that is another', () => {
    const body = envelope({ apiVersion: 'v1', kind: 'Service' }, Buffer.from([0xff]))
    assert.deepEqual(parseProtobuf(body, 'core/v1.Pod').value, { kind: 'Service', apiVersion: 'v1' })
  })

  it('may be nested only so deep', () => {
    const not = model.type('apiextensions/v1.JSONSchemaProps').field('not')!.tag!
    let size = 0
    const heads = Array.from({ length: 20_000 }, () => {
      const writer = new WireWriter(16)
      writer.begin(not, size)
      const head = writer.finish()
      size += head.length
      return head
    })
    const body = envelope({ apiVersion: '', kind: '' }, message(...heads.reverse()))
    assert.throws(() => parseProtobuf(body, 'apiextensions/v1.JSONSchemaProps'), /exceeded max depth/)
    // Groups of what nobody knows are passed over however deep they are.
    const opened = Buffer.from([0x9b, 0x06])
    const closed = Buffer.from([0x9c, 0x06])
    const groups = message(...Array(50_000).fill(opened), ...Array(50_000).fill(closed), field(1, field(1, 'a')))
    assert.deepEqual((pod(groups)().value as JsonObject).metadata, { name: 'a' })
  })
})
