import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { CustomObjectsApi, KubeConfig } from '@kubernetes/client-node'
import { SITES, type Site } from './operator.ts'

/** A Site as it was in v1alpha1: the image in one text. */
type OldSite = Omit<Site, 'apiVersion' | 'spec'> & {
  apiVersion: 'example.com/v1alpha1'
  spec: Omit<Site['spec'], 'image'> & { image: string }
}
type AnySite = Site | OldSite

interface Request {
  uid: string
  /** Of an AdmissionReview. */
  object: Site
  /** Of a ConversionReview. */
  objects: AnySite[]
  desiredAPIVersion: AnySite['apiVersion']
}

interface Review {
  apiVersion: string
  kind: 'AdmissionReview' | 'ConversionReview'
  request: Request
}

interface WebhookOptions {
  config: KubeConfig
  /** PEM. */
  tls: { cert: string; key: string }
  port: number
}

/** Answers API servers: `/validate` whether a Site may be, `/convert` how it looks in another version. */
export async function startWebhook({ config, tls, port }: WebhookOptions) {
  const custom = config.makeApiClient(CustomObjectsApi)

  /** What no CEL rule can see: the other sites. Two made at the same moment can still both pass. */
  async function validate({ object }: Request) {
    const { metadata, spec } = object
    if (!spec.host) return { allowed: true }
    const { items } = (await custom.listClusterCustomObject(SITES)) as { items: Site[] }
    const owner = items.find(other => other.spec.host === spec.host && other.metadata.uid !== metadata.uid)
    if (!owner) return { allowed: true }
    const { namespace, name } = owner.metadata
    return { allowed: false, status: { code: 409, message: `host ${spec.host} belongs to site ${namespace}/${name}` } }
  }

  const answers: Record<string, (request: Request) => object | Promise<object>> = {
    '/validate': validate,
    '/convert': ({ objects, desiredAPIVersion }) => ({
      result: { status: 'Success' },
      convertedObjects: objects.map(object => convert(object, desiredAPIVersion)),
    }),
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = answers[new URL(request.url ?? '/', 'https://webhook').pathname]
    if (!answer) return void response.writeHead(404).end()
    const { apiVersion, kind, request: asked } = (await json(request)) as Review
    const body = { apiVersion, kind, response: { uid: asked.uid, ...(await answer(asked)) } }
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body))
  }

  const server = createServer(tls, (request, response) => {
    handle(request, response).catch(error => {
      console.error(`${request.url}: ${error}`)
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/**
 * The same Site in the other version; only the image differs. It may be missing, and so may the whole spec: server-side
 * apply also converts what one manager alone owns.
 */
export function convert(site: AnySite, apiVersion: AnySite['apiVersion']): AnySite {
  if (site.apiVersion === apiVersion || !site.spec?.image) return { ...site, apiVersion } as AnySite
  const { image } = site.spec
  const other = typeof image === 'string' ? parseImage(image) : `${image.repository ?? ''}:${image.tag ?? 'latest'}`
  return { ...site, apiVersion, spec: { ...site.spec, image: other } } as AnySite
}

/** `registry:5000/repository:tag`; what follows the last colon is a tag unless it holds a slash. */
function parseImage(image: string): Site['spec']['image'] {
  const [, repository = '', tag = 'latest'] = /^(.+?)(?::([^:/]+))?$/.exec(image) ?? []
  return { repository, tag }
}

if (import.meta.main) {
  const [cert, key] = process.argv.slice(2)
  if (!cert || !key) throw new Error('usage: webhook.ts CERTIFICATE KEY')
  const config = new KubeConfig()
  config.loadFromDefault()
  const tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  const webhook = await startWebhook({ config, tls, port: 9443 })
  console.log(`the webhook listens on port ${webhook.port}`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void webhook.stop())
}
