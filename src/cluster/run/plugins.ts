import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isAdmissionPlugin } from '../../apiserver/index.ts'

interface PluginFlags {
  enableAdmissionPlugins?: string[]
  disableAdmissionPlugins?: string[]
  admissionControlConfigFile?: string
}

/** Source: k8s.io/apiserver/pkg/server/options admission.go Validate */
export function pluginProblems({ enableAdmissionPlugins: on = [], disableAdmissionPlugins: off = [] }: PluginFlags) {
  const both = on.filter(name => off.includes(name))
  return [
    ...(both.length
      ? [`[${both.sort().join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`]
      : []),
    ...on.filter(isUnknown).map(name => `enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
    ...off.filter(isUnknown).map(name => `disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
  ]
}

/** Plugins that are known and not there. */
export const MISSING_PLUGINS = ['EventRateLimit', 'ImagePolicyWebhook']

const isUnknown = (name: string) => !isAdmissionPlugin(name)

interface Configuration {
  apiVersion?: string
  kind?: string
  plugins?: { name: string; path?: string; configuration?: unknown }[]
}

const API_VERSION = /^apiserver\.(config\.)?k8s\.io\/v1(alpha1)?$/
/** Plugins that once were configured by a file of their own alone, each by a key of its own. */
const BY_KEY: Record<string, string> = {
  podNodeSelectorPluginConfig: 'PodNodeSelector',
  imagePolicy: 'ImagePolicyWebhook',
}

/**
 * What the file says of each plugin, by its name. Rejects in upstream's words when it cannot be read.
 * Source: https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/
 */
export async function pluginConfigurations({ admissionControlConfigFile: file }: PluginFlags) {
  if (!file) return {}
  const { parse } = await import('yaml')
  const read = (path: string): unknown => parse(readFileSync(path, 'utf8'))
  const configuration = read(file) as Configuration
  for (const [key, plugin] of Object.entries(BY_KEY)) if (key in configuration) return { [plugin]: configuration }
  const { apiVersion, kind, plugins = [] } = configuration
  if (kind !== 'AdmissionConfiguration' || !API_VERSION.test(apiVersion ?? ''))
    throw new Error(`${file}: must be an AdmissionConfiguration of apiserver.config.k8s.io/v1`)
  return Object.fromEntries(
    plugins.map(each => [each.name, each.configuration ?? (each.path && read(resolve(dirname(file), each.path)))]),
  ) as Record<string, unknown>
}
