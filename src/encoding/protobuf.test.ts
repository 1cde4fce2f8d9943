import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseProtobuf } from './protobuf.ts'

/** One field on the wire: text and messages as bytes, anything else as a varint. */
function field(tag: number, value: number | bigint | string | Buffer): Buffer {
  if (typeof value === 'number' || typeof value === 'bigint')
    return Buffer.concat([varint(BigInt(tag) << 3n), varint(BigInt.asUintN(64, BigInt(value)))])
  const bytes = Buffer.from(value as string)
  return Buffer.concat([varint((BigInt(tag) << 3n) | 2n), varint(BigInt(bytes.length)), bytes])
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 0x7fn) | 0x80)
  }
}

const message = (...fields: Buffer[]) => Buffer.concat(fields)
const envelope = (apiVersion: string, kind: string, raw: Buffer) =>
  message(
    Buffer.from('k8s\0'),
    field(1, message(field(1, apiVersion), field(2, kind))),
    field(2, raw),
    field(3, ''),
    field(4, ''),
  )

describe('protobuf', () => {
  it('reads fields, lists, maps, inlined structs and the types with a form of their own', () => {
    const env = message(
      field(1, 'KEY'),
      field(3, message(field(3, message(field(1, message(field(1, 'map'))), field(2, 'key'), field(3, 1))))),
    )
    const port = message(field(1, ''), field(2, 0), field(3, 80), field(4, 'TCP'))
    const probe = message(
      field(
        1,
        message(field(2, message(field(1, '/'), field(2, message(field(1, 1), field(2, 0), field(3, 'http')))))),
      ),
      field(2, -1),
    )
    const limits = message(field(1, 'cpu'), field(2, message(field(1, '500m'))))
    const container = message(
      field(1, 'main'),
      field(2, 'image'),
      field(6, port),
      field(7, env),
      field(8, message(field(1, limits))),
      field(10, probe),
    )
    const pod = message(
      field(
        1,
        message(
          field(1, 'p'),
          field(8, message(field(1, 1_767_225_600), field(2, 0))),
          field(11, message(field(1, 'a'), field(2, 'b'))),
        ),
      ),
      field(2, message(field(2, container), field(4, 30))),
      field(3, message()),
    )
    assert.deepEqual(parseProtobuf(envelope('v1', 'Pod', pod), 'core/v1.Pod').value, {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'p', creationTimestamp: '2026-01-01T00:00:00Z', labels: { a: 'b' } },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'image',
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            env: [{ name: 'KEY', valueFrom: { configMapKeyRef: { name: 'map', key: 'key', optional: true } } }],
            resources: { limits: { cpu: '500m' } },
            livenessProbe: { httpGet: { path: '/', port: 'http' }, initialDelaySeconds: -1 },
          },
        ],
        terminationGracePeriodSeconds: 30,
      },
      status: {},
    })
  })

  it('refuses what is no message, and one that is cut off', () => {
    assert.throws(() => parseProtobuf(Buffer.from('{}'), 'core/v1.Pod'), /does not appear to be a protobuf message/)
    const whole = envelope('v1', 'Pod', field(1, field(1, 'name')))
    assert.throws(() => parseProtobuf(whole.subarray(0, whole.length - 6), 'core/v1.Pod'), /unexpected EOF/)
  })
})
