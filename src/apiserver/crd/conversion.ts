import { type apiextensions, type KubeObject, StatusError } from '../../api/index.ts'
import type { Random } from '../../base/index.ts'
import type { WebhookClient } from '../webhook/client.ts'

export type Definition = apiextensions.CustomResourceDefinition

/** Brings objects of a custom resource, all of one version, to another: `example.com/v2`. Rejects with the answer to give. */
export type Convert = (objects: KubeObject[], apiVersion: string) => KubeObject[] | Promise<KubeObject[]>

/** Seconds. */
const TIMEOUT = 30
const REVIEW_VERSIONS = ['v1', 'v1beta1']

/** How a definition has its objects converted. Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/ */
export function converterOf({ spec }: Definition, client: WebhookClient, random: Random): Convert {
  const { strategy, webhook } = spec.conversion ?? {}
  const config = webhook?.clientConfig
  if (strategy !== 'Webhook' || !config) return renamed
  const version = webhook.conversionReviewVersions.find(each => REVIEW_VERSIONS.includes(each)) ?? 'v1'
  const apiVersion = `apiextensions.k8s.io/${version}`
  return async (objects, desiredAPIVersion) => {
    const [first] = objects
    if (!first) return []
    const about = `${first.apiVersion}, Kind=${first.kind}`
    const uid = random.uuid()
    const review = { kind: 'ConversionReview', apiVersion, request: { uid, desiredAPIVersion, objects } }
    const answer = await client.call(config, review, TIMEOUT).catch(error => {
      throw failed(`conversion webhook for ${about} failed: ${(error as Error).message}`)
    })
    const converted = read(answer as Partial<apiextensions.ConversionReview>, uid, about)
    if (converted.length !== objects.length)
      throw failed(`conversion webhook for ${about} returned ${converted.length} objects, expected ${objects.length}`)
    return converted.map((object, index) => checked(object, objects[index]!, desiredAPIVersion, about, index))
  }
}

/** All versions have the same fields: only the version's name differs. */
const renamed: Convert = (objects, apiVersion) => objects.map(object => ({ ...object, apiVersion }))

/** Upstream gives such an error no reason. */
const failed = (message: string) => new StatusError({ status: 'Failure', message, code: 500 })

function read({ response }: Partial<apiextensions.ConversionReview>, uid: string, about: string): KubeObject[] {
  if (!response) throw failed(`conversion webhook for ${about} returned invalid response: no response provided`)
  if (response.uid !== uid)
    throw failed(
      `conversion webhook for ${about} returned invalid response: expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid)}`,
    )
  const { status, message } = response.result ?? {}
  if (status !== 'Success')
    throw failed(`conversion webhook for ${about} failed: ${message || 'response.result.status was not Success'}`)
  return (response.convertedObjects ?? []) as KubeObject[]
}

/** Of metadata a webhook may change labels and annotations, and nothing else. */
function checked(object: KubeObject, original: KubeObject, wanted: string, about: string, index: number): KubeObject {
  const invalid = (detail: string) =>
    failed(`conversion webhook for ${about} returned invalid converted object at index ${index}: ${detail}`)
  const { apiVersion, kind, metadata } = object ?? {}
  if (apiVersion !== wanted) throw invalid(`invalid groupVersion (expected ${wanted}, received ${apiVersion ?? ''})`)
  if (kind !== original.kind) throw invalid(`invalid kind (expected ${original.kind}, received ${kind ?? ''})`)
  if (!metadata) throw invalid('must have metadata')
  for (const field of ['name', 'namespace', 'uid'] as const)
    if (metadata[field] !== original.metadata[field])
      throw invalid(
        `invalid metadata.${field} (expected ${JSON.stringify(original.metadata[field] ?? '')}, received ${JSON.stringify(metadata[field] ?? '')})`,
      )
  const { labels, annotations } = metadata
  const { labels: _, annotations: __, ...kept } = original.metadata
  return {
    ...object,
    metadata: {
      ...kept,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
    } as KubeObject['metadata'],
  }
}
