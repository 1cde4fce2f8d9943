import { allResources, apiVersion, model, type Resource } from '../../api/index.ts'
import type { JsonSchema } from '../../encoding/index.ts'
import { customSchemas } from './custom.ts'
import type { Descriptions } from './descriptions.ts'
import { discoveryPath, exchangedTypes, pathsOf } from './operations.ts'
import type { GroupVersionKind, Schema } from './schema.ts'
import { isDescribed, schemasOf } from './schemas.ts'

/** What every group version exchanges. */
const COMMON = [
  'meta/v1.APIResourceList',
  'meta/v1.DeleteOptions',
  'meta/v1.Patch',
  'meta/v1.Status',
  'meta/v1.WatchEvent',
  'runtime.RawExtension',
]

export interface OpenApiV3 {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, unknown>
  components: { schemas: Record<string, Schema>; securitySchemes: object }
}

const title = 'Kubernetes'
const BEARER = { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' }

/** What every custom resource refers to. */
const OF_OBJECTS = ['meta/v1.ObjectMeta', 'meta/v1.ListMeta']

/**
 * The document of some resources: those of one group version, or all. Options and answers are kinds of every group version
 * of the built-in resources. `schemaOf` gives what the author of a custom resource wrote.
 */
export function openApiV3(
  resources: Resource[],
  schemaOf: (resource: Resource) => JsonSchema | undefined,
  descriptions: Descriptions,
  version: string,
): OpenApiV3 {
  const versions = new Map(resources.filter(({ type }) => model.has(type)).map(discoveryPath))
  const paths = [...resources.flatMap(pathsOf), ...versions].sort(([a], [b]) => (a < b ? -1 : 1))
  const custom = resources.flatMap(resource => {
    const schema = schemaOf(resource)
    return schema ? customSchemas(resource, schema, descriptions) : []
  })
  const types = new Set([
    ...resources.flatMap(exchangedTypes),
    ...COMMON,
    ...(custom.length ? OF_OBJECTS : []),
    ...custom.map(([type]) => type),
  ])
  const known = new Map(custom)
  return {
    openapi: '3.0.0',
    info: { title, version: version.replace(/^v(\d+\.\d+).*$/, '$1') },
    paths: Object.fromEntries(paths),
    components: {
      schemas: schemasOf(
        [...types].filter(type => isDescribed(type) || known.has(type)),
        { descriptions, kinds: kindsOf(allResources), custom: known },
      ),
      securitySchemes: { BearerToken: BEARER },
    },
  }
}

/** The kinds that each type is; options and answers are kinds of every group version. */
function kindsOf(all: Resource[]): Map<string, GroupVersionKind[]> {
  const kinds = new Map<string, GroupVersionKind[]>()
  const versions = new Map<string, { group: string; version: string }>()
  for (const { group, version, kind, type, verbs } of all) {
    versions.set(apiVersion({ group, version }), { group, version })
    kinds.set(type, [{ group, kind, version }])
    if (verbs.includes('list')) kinds.set(`${type}List`, [{ group, kind: `${kind}List`, version }])
  }
  kinds.set('meta/v1.APIResourceList', [{ group: '', kind: 'APIResourceList', version: 'v1' }])
  kinds.set('meta/v1.Status', [{ group: '', kind: 'Status', version: 'v1' }])
  for (const kind of ['DeleteOptions', 'WatchEvent'])
    kinds.set(
      `meta/v1.${kind}`,
      [...versions.values()].map(({ group, version }) => ({ group, kind, version })),
    )
  kinds.set('autoscaling/v1.Scale', [{ group: 'autoscaling', kind: 'Scale', version: 'v1' }])
  kinds.set('policy/v1.Eviction', [{ group: 'policy', kind: 'Eviction', version: 'v1' }])
  kinds.set('authentication/v1.TokenRequest', [{ group: 'authentication.k8s.io', kind: 'TokenRequest', version: 'v1' }])
  return kinds
}
