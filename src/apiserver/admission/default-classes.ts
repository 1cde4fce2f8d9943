import { type core, type KubeObject, type networking, type Resource, resources } from '../../api/index.ts'
import type { Reader } from '../registry/reader.ts'
import { type AdmissionPlugin, isOf } from './admission.ts'

const CLAIM_CLASS = 'volume.beta.kubernetes.io/storage-class'
const DEFAULT_STORAGE = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]
const INGRESS_CLASS = 'kubernetes.io/ingress.class'
const DEFAULT_INGRESS = ['ingressclass.kubernetes.io/is-default-class']

/**
 * Claims that name no class get the one that is marked as the default.
 * Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
 */
export const defaultStorageClass = (reader: Reader): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  async mutate(attributes) {
    if (attributes.operation !== 'CREATE' || !isOf(attributes, resources.persistentVolumeClaims)) return
    const { metadata, spec } = attributes.object as core.PersistentVolumeClaim
    if (spec.storageClassName !== undefined || metadata.annotations?.[CLAIM_CLASS] !== undefined) return
    const chosen = await newestDefault(reader, resources.storageClasses, DEFAULT_STORAGE)
    if (chosen) spec.storageClassName = chosen
  },
})

/**
 * The same for ingresses.
 * Source: https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class
 */
export const defaultIngressClass = (reader: Reader): AdmissionPlugin => ({
  name: 'DefaultIngressClass',
  async mutate(attributes) {
    if (attributes.operation !== 'CREATE' || !isOf(attributes, resources.ingresses)) return
    const { metadata, spec } = attributes.object as networking.Ingress
    if (spec.ingressClassName !== undefined || metadata.annotations?.[INGRESS_CLASS] !== undefined) return
    const chosen = await newestDefault(reader, resources.ingressClasses, DEFAULT_INGRESS)
    if (chosen) spec.ingressClassName = chosen
  },
})

/** The name of the class that one of the annotations makes the default; of several the one that was made last. */
async function newestDefault<T extends KubeObject>(reader: Reader, resource: Resource<T>, annotations: string[]) {
  const classes = (await reader.cached(resource)).filter(({ metadata }) =>
    annotations.some(annotation => metadata.annotations?.[annotation] === 'true'),
  )
  // They come by name, which decides between those of one second.
  const newest = classes.reduce<T | undefined>(
    (found, each) => (found && found.metadata.creationTimestamp >= each.metadata.creationTimestamp ? found : each),
    undefined,
  )
  return newest?.metadata.name
}
