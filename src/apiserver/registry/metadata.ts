import { type FieldError, type meta, names } from '../../api/index.ts'
import type { CheckMetadata } from '../../encoding/index.ts'
import type { Served } from './served.ts'
import { complaints, forbidden, immutable, invalid, nonNegative, required, same } from './validation/field.ts'
import { validateAnnotations, validateLabels } from './validation/selectors.ts'

/** Source: k8s.io/apimachinery/pkg/api/validation ValidateObjectMeta */
export function validateMetadata(metadata: meta.ObjectMeta, { resource, strategy }: Served): FieldError[] {
  const problemsOf = strategy.nameProblems ?? ((name: string) => names.dns1123SubdomainProblems(name))
  const problems: FieldError[] = []
  if (metadata.generateName) {
    // The dash that a prefix may end with is followed by letters in the name itself.
    const shown = metadata.generateName.replace(/-$/, 'a')
    problems.push(...complaints('metadata.generateName', metadata.generateName, problemsOf(shown, true)))
  }
  if (!metadata.name) problems.push(required('metadata.name', 'name or generateName is required'))
  else problems.push(...complaints('metadata.name', metadata.name, problemsOf(metadata.name, false)))
  if (resource.namespaced) problems.push(...validateNamespace(metadata.namespace))
  problems.push(
    ...nonNegative('metadata.generation', metadata.generation),
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'metadata.annotations'),
    ...validateOwners(metadata.ownerReferences),
    ...validateFinalizers(metadata.finalizers),
  )
  return problems
}

/** Of an object that lies within another: it may have any name that can be a part of a path, and need have none. */
export const embeddedMetadataProblems: CheckMetadata = (given, path) => {
  const { name, generateName, namespace, labels, annotations, ownerReferences, finalizers } =
    given as Partial<meta.ObjectMeta>
  const problems = [
    ...(generateName ? complaints('metadata.generateName', generateName, pathSegmentProblems(generateName, true)) : []),
    ...(name ? complaints('metadata.name', name, pathSegmentProblems(name, false)) : []),
    ...(namespace ? validateNamespace(namespace) : []),
    ...validateLabels(labels, 'metadata.labels'),
    ...validateAnnotations(annotations, 'metadata.annotations'),
    ...validateOwners(ownerReferences),
    ...validateFinalizers(finalizers),
  ]
  return problems.map(problem => ({ ...problem, field: path + problem.field.slice('metadata'.length) }))
}

function pathSegmentProblems(name: string, prefix: boolean): string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  return ['/', '%'].filter(sign => name.includes(sign)).map(sign => `may not contain '${sign}'`)
}

function validateNamespace(namespace: string | undefined): FieldError[] {
  if (!namespace) return [required('metadata.namespace')]
  return complaints('metadata.namespace', namespace, names.dns1123LabelProblems(namespace))
}

function validateOwners(owners: meta.OwnerReference[] | undefined): FieldError[] {
  const field = 'metadata.ownerReferences'
  const problems: FieldError[] = []
  let controller = ''
  for (const owner of owners ?? []) {
    if (!owner.apiVersion) problems.push(invalid(`${field}.apiVersion`, owner.apiVersion, 'version must not be empty'))
    if (!owner.kind) problems.push(invalid(`${field}.kind`, owner.kind, 'must not be empty'))
    if (!owner.name) problems.push(invalid(`${field}.name`, owner.name, 'must not be empty'))
    if (!owner.uid) problems.push(invalid(`${field}.uid`, owner.uid, 'must not be empty'))
    if (owner.apiVersion === 'v1' && owner.kind === 'Event')
      problems.push(invalid(field, owner, '/v1, Kind=Event is disallowed from being an owner'))
    if (!owner.controller) continue
    const shown = `${owner.kind}/${owner.name}`
    if (controller)
      problems.push(
        invalid(
          field,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${shown}`,
        ),
      )
    controller ||= shown
  }
  return problems
}

function validateFinalizers(finalizers: string[] | undefined): FieldError[] {
  const field = 'metadata.finalizers'
  const problems = (finalizers ?? []).flatMap(name => complaints(field, name, names.qualifiedNameProblems(name)))
  if (finalizers?.includes('orphan') && finalizers.includes('foregroundDeletion'))
    problems.push(invalid(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  return problems
}

/** Finalizers that need no domain. */
const STANDARD_FINALIZERS = ['orphan', 'foregroundDeletion', 'kubernetes']

/** What extends the API may have finalizers without a domain. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateObjectMeta */
export function validateDomains({ finalizers }: meta.ObjectMeta, { custom, resource }: Served): FieldError[] {
  if (custom || resource.group === 'apiextensions.k8s.io') return []
  return (finalizers ?? []).flatMap((name, index) =>
    name.includes('/') || STANDARD_FINALIZERS.includes(name)
      ? []
      : [
          invalid(
            `metadata.finalizers[${index}]`,
            name,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        ],
  )
}

/** Of owners that are named twice the first stays. What the client is told of them; nothing when there are none. */
export function dedupOwners({ metadata }: { metadata: meta.ObjectMeta }, afterAdmission: boolean): string[] {
  const owners = metadata.ownerReferences
  if (!owners || owners.length < 2) return []
  const kept: meta.OwnerReference[] = []
  const repeated = new Set<string>()
  for (const owner of owners) {
    if (kept.some(other => same(other, owner))) repeated.add(owner.uid)
    else kept.push(owner)
  }
  if (!repeated.size) return []
  metadata.ownerReferences = kept
  const when = afterAdmission ? ' after mutating admission happens' : ''
  return [
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...repeated].join(', ')}`,
  ]
}

/** Source: k8s.io/apimachinery/pkg/api/validation ValidateObjectMetaUpdate */
export function validateMetadataUpdate(metadata: meta.ObjectMeta, old: meta.ObjectMeta): FieldError[] {
  const problems: FieldError[] = []
  if (old.deletionTimestamp !== undefined) {
    const added = (metadata.finalizers ?? []).filter(name => !old.finalizers?.includes(name))
    if (added.length)
      problems.push(
        forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added
            .sort()
            .map(name => JSON.stringify(name))
            .join(', ')}}`,
        ),
      )
  }
  const fixed = [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const
  for (const field of fixed)
    if (!same(metadata[field], old[field]))
      problems.push(...immutable(`metadata.${field}`, metadata[field], old[field]))
  problems.push(
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'metadata.annotations'),
    ...validateOwners(metadata.ownerReferences),
  )
  return problems
}
