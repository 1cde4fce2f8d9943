import { type apiextensions, isConditionTrue, type Resource } from '../api/index.ts'

/**
 * The resource that a definition makes, once the API server serves it. Of several served versions one will do, since
 * all of them show the same objects.
 */
export function customResource({ spec, status }: apiextensions.CustomResourceDefinition): Resource | undefined {
  const established = isConditionTrue(status.conditions, 'Established')
  if (!established) return undefined
  const version =
    spec.versions.find(({ served, storage }) => served && storage) ?? spec.versions.find(({ served }) => served)
  if (!version) return undefined
  const names = status.acceptedNames ?? spec.names
  return {
    group: spec.group,
    version: version.name,
    resource: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    kind: names.kind,
    namespaced: spec.scope === 'Namespaced',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    subresources: [],
    type: `${spec.group}/${version.name}.${names.kind}`,
  }
}
