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
    const broken = (detail: string) => failed(`conversion webhook for ${about} failed: ${detail}`)
    const answer = await client.call(config, review, TIMEOUT).catch(error => {
      throw broken((error as Error).message)
    })
    const converted = read(answer as Partial<apiextensions.ConversionReview>, review, broken)
    if (converted.length !== objects.length)
      throw failed(`conversion webhook for ${about} returned ${converted.length} objects, expected ${objects.length}`)
    const single = objects.length === 1
    return converted.map((object, index) => {
      const invalid = (what: string, detail: string) =>
        failed(`conversion webhook for ${about} returned invalid ${what}: ${detail}`)
      return checked(object, objects[index]!, desiredAPIVersion, invalid, single ? undefined : index)
    })
  }
}

/** All versions have the same fields: only the version's name differs. */
const renamed: Convert = (objects, apiVersion) => objects.map(object => ({ ...object, apiVersion }))

/** Upstream gives such an error no reason. */
const failed = (message: string) => new StatusError({ status: 'Failure', message, code: 500 })

interface Review {
  kind: string
  apiVersion: string
  request: { uid: string }
}

/** The objects of an answer; what is wrong with it, `broken` makes an error of. */
function read(
  { kind, apiVersion, response }: Partial<apiextensions.ConversionReview>,
  review: Review,
  broken: (detail: string) => StatusError,
): KubeObject[] {
  const { uid } = review.request
  if (apiVersion && apiVersion !== review.apiVersion)
    throw broken(
      `converting (${versionOf(apiVersion)}.${kind}) to (${versionOf(review.apiVersion)}.${review.kind}): unknown conversion`,
    )
  if (kind !== review.kind || !apiVersion)
    throw broken(
      `expected webhook response of ${review.apiVersion}, Kind=${review.kind}, got ${apiVersion || '/'}, Kind=${kind ?? ''}`,
    )
  if (!response) throw broken('no response provided')
  if (response.uid !== uid)
    throw broken(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  const { status = '', message } = response.result ?? {}
  if (status !== 'Success') throw broken(message || `response.result.status was '${status}', not 'Success'`)
  return (response.convertedObjects ?? []) as KubeObject[]
}

const versionOf = (apiVersion: string) => apiVersion.slice(apiVersion.indexOf('/') + 1)

type Invalid = (what: string, detail: string) => StatusError

/** Of metadata a webhook may change labels and annotations, and nothing else. `index`: where there are several objects. */
function checked(
  object: KubeObject,
  original: KubeObject,
  wanted: string,
  invalid: Invalid,
  index: number | undefined,
): KubeObject {
  const several = index !== undefined
  const place = several ? `converted object at index ${index}` : 'object at index 0'
  const { apiVersion, kind, metadata } = object ?? {}
  if (apiVersion !== wanted)
    throw invalid(place, `invalid groupVersion (expected ${wanted}, received ${apiVersion ?? ''})`)
  if (kind !== original.kind) throw invalid(place, `invalid kind (expected ${original.kind}, received ${kind ?? ''})`)
  for (const field of ['name', 'namespace', 'uid'] as const) {
    const [before, after] = [original.metadata[field] ?? '', metadata?.[field] ?? '']
    if (before === after) continue
    const name = field === 'uid' ? 'UID' : field
    throw invalid(several ? place : 'object', `must have the same ${name}: ${before} != ${after}`)
  }
  if (!metadata)
    throw invalid(several ? `metadata in object at index ${index}` : 'metadata', 'missing metadata in converted object')
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
