import { allResources, apiVersion, type Resource } from '../../api/index.ts'

/** Sets of versions, by how stable they are. */
const SETS: Record<string, (version: string) => boolean> = {
  'api/all': () => true,
  'api/ga': version => !/alpha|beta/.test(version),
  'api/beta': version => version.includes('beta'),
  'api/alpha': version => version.includes('alpha'),
}

/** What the API is of, so that it cannot be turned off. */
const NEEDED = ['v1', 'apiregistration.k8s.io/v1']

/**
 * Whether each built-in resource is served, by `--runtime-config=apps/v1=false,api/beta=true,apps/v1/daemonsets=false`. Throws
 * in upstream's words. Source: https://kubernetes.io/docs/reference/using-api/#enabling-or-disabling
 */
export function servesOf(config: Record<string, string> | undefined): ((resource: Resource) => boolean) | undefined {
  const wanted = Object.entries(config ?? {}).map(([key, text]) => [normalized(key), on(key, text)] as const)
  if (!wanted.length) return undefined
  const unknown = wanted.filter(([key]) => !isKnown(key)).map(([key]) => key)
  if (unknown.length) throw new Error(`unknown api groups ${unknown.join(',')}`)
  const sets = wanted.filter(([key]) => key in SETS)
  const versions = new Map(wanted)
  return resource => {
    const version = apiVersion(resource)
    const exact = versions.get(`${version}/${resource.resource}`) ?? versions.get(version)
    if (exact !== undefined) return exact
    if (NEEDED.includes(version)) return true
    const set = sets.findLast(([key]) => SETS[key]!(resource.version))
    return set?.[1] ?? true
  }
}

const normalized = (key: string): string => (key === 'api/v1' ? 'v1' : key)

function on(key: string, text: string): boolean {
  if (text === '' || /^(1|t|T|true|TRUE|True)$/.test(text)) return true
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false
  throw new Error(
    `invalid value of ${key}: ${text}, err: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

/** A set, or a version of a group that is one of upstream's; versions that this server does not have are let pass. */
function isKnown(key: string): boolean {
  if (key in SETS || key === 'api/legacy') return true
  const [group = ''] = key.split('/')
  return key === 'v1' || allResources.some(resource => resource.group === group) || FURTHER.has(group)
}

/** Groups of upstream's of which only versions exist that are off by default. */
const FURTHER = new Set(['internal.apiserver.k8s.io', 'storagemigration.k8s.io'])
