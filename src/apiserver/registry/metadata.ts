import { type FieldError, type meta, names } from '../../api/index.ts'
import type { Served } from './served.ts'
import { complaints, forbidden, immutable, invalid, required, same } from './validation/field.ts'
import { validateAnnotations, validateLabels } from './validation/selectors.ts'

/** Source: k8s.io/apimachinery/pkg/api/validation ValidateObjectMeta */
export function validateMetadata(metadata: meta.ObjectMeta, { resource, strategy, custom }: Served): FieldError[] {
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
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'metadata.annotations'),
    ...validateOwners(metadata.ownerReferences),
    ...validateFinalizers(metadata.finalizers, custom !== undefined || resource.group === 'apiextensions.k8s.io'),
  )
  return problems
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
      problems.push(invalid(field, `${owner.apiVersion}, Kind=${owner.kind}`, 'is disallowed from being an owner'))
    if (!owner.controller) continue
    if (controller)
      problems.push(
        invalid(
          field,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`,
        ),
      )
    controller ||= owner.name
  }
  return problems
}

/** Finalizers that need no domain. */
const STANDARD_FINALIZERS = ['orphan', 'foregroundDeletion', 'kubernetes']

/** `anyName`: what extends the API may have finalizers without a domain. */
function validateFinalizers(finalizers: string[] | undefined, anyName: boolean): FieldError[] {
  const field = 'metadata.finalizers'
  const problems = (finalizers ?? []).flatMap(name => complaints(field, name, names.qualifiedNameProblems(name)))
  for (const name of finalizers ?? [])
    if (!anyName && !name.includes('/') && !STANDARD_FINALIZERS.includes(name))
      problems.push(invalid(field, name, 'name is neither a standard finalizer name nor is it fully qualified'))
  if (finalizers?.includes('orphan') && finalizers.includes('foregroundDeletion'))
    problems.push(invalid(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  return problems
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
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(name => JSON.stringify(name)).join(', ')}}`,
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
  return problems
}
