import { apiVersion, model, type Resource } from '../../api/index.ts'
import type { Descriptions } from './descriptions.ts'
import { exchangedTypes, pathsOf } from './operations.ts'
import type { GroupVersionKind, Schema } from './schema.ts'
import { schemasOf } from './schemas.ts'

/** What every group version exchanges. */
const COMMON = ['meta/v1.DeleteOptions', 'meta/v1.Patch', 'meta/v1.Status', 'meta/v1.WatchEvent']

export interface OpenApiV3 {
  openapi: string
  info: { title: string; version: string }
  paths: Record<string, unknown>
  components: { schemas: Record<string, Schema>; securitySchemes: object }
}

const title = 'Kubernetes'
const BEARER = { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' }

/** The document of some resources: those of one group version, or all. `all` are needed for the kinds of options. */
export function openApiV3(
  resources: Resource[],
  all: Resource[],
  descriptions: Descriptions,
  version: string,
): OpenApiV3 {
  const paths = resources.flatMap(pathsOf).sort(([a], [b]) => (a < b ? -1 : 1))
  const types = new Set([...resources.flatMap(exchangedTypes), ...COMMON])
  return {
    openapi: '3.0.0',
    info: { title, version },
    paths: Object.fromEntries(paths),
    components: {
      schemas: schemasOf([...types].filter(isKnown), { descriptions, kinds: kindsOf(all) }),
      securitySchemes: { BearerToken: BEARER },
    },
  }
}

const isKnown = (type: string) => type === 'meta/v1.Patch' || model.has(type)

/** The kinds that each type is; options and answers are kinds of every group version. */
function kindsOf(all: Resource[]): Map<string, GroupVersionKind[]> {
  const kinds = new Map<string, GroupVersionKind[]>()
  const versions = new Map<string, { group: string; version: string }>()
  for (const { group, version, kind, type, verbs } of all) {
    versions.set(apiVersion({ group, version }), { group, version })
    kinds.set(type, [{ group, kind, version }])
    if (verbs.includes('list')) kinds.set(`${type}List`, [{ group, kind: `${kind}List`, version }])
  }
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
