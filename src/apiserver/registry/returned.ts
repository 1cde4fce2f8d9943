import type { Resource } from '../../api/index.ts'

/** Kinds whose last state answers their delete, where others answer a Status; by group. */
const RETURNED: Record<string, string[]> = {
  '': [
    'pods',
    'podtemplates',
    'services',
    'serviceaccounts',
    'resourcequotas',
    'persistentvolumes',
    'persistentvolumeclaims',
  ],
  'resource.k8s.io': ['deviceclasses', 'resourceclaims', 'resourceclaimtemplates', 'resourceslices'],
  'storage.k8s.io': ['csidrivers', 'csinodes', 'storageclasses', 'volumeattachments', 'volumeattributesclasses'],
}

export const returnsDeleted = ({ group, resource }: Pick<Resource, 'group' | 'resource'>): boolean =>
  RETURNED[group]?.includes(resource) ?? false
