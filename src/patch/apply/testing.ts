import type { KubeObject, meta } from '../../api/index.ts'
import type { FieldSet } from './field-set.ts'
import { apply, trackUpdate } from './managed-fields.ts'
import { modelSchema } from './model-schema.ts'
import type { Schema } from './schema.ts'
import type { Write } from './update.ts'

export type Loose = Record<string, unknown>

/** A FieldsV1 object of paths: `spec.replicas`, `data` followed by ` .` for the path itself beside those below it. */
export function paths(...of: (string | string[])[]): FieldSet {
  const root: Loose = {}
  for (const path of of) {
    let node = root
    for (const step of Array.isArray(path) ? path : path.split('.').map(name => (name === '' ? '.' : `f:${name}`))) {
      node[step] ??= {}
      node = node[step] as Loose
    }
  }
  return root as FieldSet
}

/** One object of a type and everybody who writes it; each write is a second later than the one before. */
export class Bench {
  object: KubeObject
  readonly #empty: KubeObject
  readonly #kind: { group: string; version: string; kind: string }
  /** Of a custom resource it may be another one after a while. */
  schema: Schema
  #seconds = 0

  constructor(type: string, empty: Loose = {}, schema = modelSchema(type)) {
    const [group = '', version = '', kind = ''] = type.split(/[/.](?=[^/]*$)|\//)
    this.#kind = { group: group === 'core' ? '' : group, version, kind }
    this.schema = schema
    this.#empty = { apiVersion: this.apiVersion, kind, metadata: { name: '' }, ...empty } as KubeObject
    this.object = this.#empty
  }

  get apiVersion(): string {
    const { group, version } = this.#kind
    return group ? `${group}/${version}` : version
  }

  /** managedFields as `MANAGER OPERATION` to their sets. */
  get owners(): Record<string, FieldSet> {
    const entries = this.object.metadata.managedFields ?? []
    return Object.fromEntries(entries.map(entry => [nameOf(entry), entry.fieldsV1 as FieldSet]))
  }

  async update(manager: string, object: Loose): Promise<void> {
    const next = this.#whole(object)
    const managedFields = await trackUpdate(this.#write(manager), this.object, next)
    this.object = { ...next, metadata: { ...next.metadata, uid: 'uid', managedFields } } as KubeObject
  }

  async apply(manager: string, configuration: Loose, force = false): Promise<void> {
    const application = {
      live: this.object,
      empty: this.#empty,
      configuration: this.#whole(configuration),
      kind: this.#kind,
      force,
    }
    const { object = this.object, managedFields } = await apply(this.#write(manager), application)
    this.object = { ...object, metadata: { ...object.metadata, uid: 'uid', managedFields } } as KubeObject
  }

  #whole(object: Loose): KubeObject {
    const metadata = { name: 'test', namespace: 'default', ...(object.metadata as Loose) }
    return { apiVersion: this.apiVersion, kind: this.#kind.kind, ...object, metadata } as unknown as KubeObject
  }

  #write(manager: string): Write {
    const now = new Date(Date.UTC(2026, 0, 1) + this.#seconds++ * 1000).toISOString().replace('.000', '')
    return {
      versions: {
        changing: true,
        schema: version => (version === this.apiVersion ? this.schema : undefined),
        convert: object => object,
      },
      author: { manager, apiVersion: this.apiVersion, subresource: '' },
      relevant: set => set,
      now,
    }
  }
}

const nameOf = ({ manager, operation, subresource }: meta.ManagedFieldsEntry) =>
  `${manager} ${operation}${subresource ? ` ${subresource}` : ''}`
