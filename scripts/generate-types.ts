// Writes src/api/types/*.ts, the TypeScript shapes of the served kinds, from src/api/model.json.
// Run with `npm run generate`; the result is committed, so that an editor and `tsc` need no build step.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

interface Field {
  name: string
  type: string
  repeated?: boolean
  map?: string
  pointer?: boolean
  inline?: boolean
  omitempty?: boolean
  required?: boolean
}

/** Namespace under which `src/api` exports a group version, e.g. `apps.Deployment`. */
const namespaces: Record<string, string> = {
  'admission/v1': 'admission',
  'admissionregistration/v1': 'admissionregistration',
  'apidiscovery/v2': 'apidiscovery',
  'apiextensions/v1': 'apiextensions',
  'apiregistration/v1': 'apiregistration',
  'apps/v1': 'apps',
  'authentication/v1': 'authentication',
  'authorization/v1': 'authorization',
  'autoscaling/v1': 'autoscalingV1',
  'autoscaling/v2': 'autoscaling',
  'batch/v1': 'batch',
  'certificates/v1': 'certificates',
  'coordination/v1': 'coordination',
  'core/v1': 'core',
  'discovery/v1': 'discovery',
  'events/v1': 'events',
  'flowcontrol/v1': 'flowcontrol',
  'meta/v1': 'meta',
  'networking/v1': 'networking',
  'node/v1': 'node',
  'policy/v1': 'policy',
  'rbac/v1': 'rbac',
  'resource/v1': 'resource',
  'scheduling/v1': 'scheduling',
  'storage/v1': 'storage',
}

const scalars: Record<string, string> = {
  string: 'string',
  bool: 'boolean',
  int32: 'number',
  int64: 'number',
  float64: 'number',
  bytes: 'string',
  'types.UID': 'string',
  'types.NodeName': 'string',
  'meta/v1.Time': 'string',
  'meta/v1.MicroTime': 'string',
  'meta/v1.Duration': 'string',
  'resource.Quantity': 'string',
  'intstr.IntOrString': 'number | string',
  'meta/v1.FieldsV1': 'Record<string, unknown>',
}

/** Fields that Go leaves out when empty, but that every object read from the API carries. */
const always: Record<string, string[]> = {
  'meta/v1.ObjectMeta': ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp'],
}

const url = (path: string) => new URL(`../src/api/${path}`, import.meta.url)
const model = JSON.parse(readFileSync(url('model.json'), 'utf8')) as {
  types: Record<string, { fields: Field[] }>
  aliases: Record<string, { type: string; repeated?: boolean; map?: string }>
  enums: Record<string, string[]>
}
const split = (name: string): [string, string] => {
  const dot = name.lastIndexOf('.')
  return [name.slice(0, dot), name.slice(dot + 1)]
}

function reference(type: string, group: string): string {
  if (scalars[type]) return scalars[type]
  const values = model.enums[type]
  if (values && !values.includes('*')) return values.map(value => `'${value}'`).join(' | ')
  const alias = model.aliases[type]
  if (alias) {
    const target = reference(alias.type, group)
    return alias.map ? `Record<string, ${target}>` : alias.repeated ? `${wrap(target)}[]` : target
  }
  const [owner, kind] = split(type)
  if (!model.types[type] || !namespaces[owner] || model.types[type].fields.length === 0) return 'unknown'
  return owner === group ? kind : `${namespaces[owner]}.${kind}`
}

const wrap = (type: string) => (type.includes('|') ? `(${type})` : type)

function declare(field: Field, group: string, owner: string): string {
  let type = reference(field.type, group)
  if (field.repeated) type = `${wrap(type)}[]`
  if (field.map) type = `Record<string, ${type}>`
  // Go never omits a struct that is not a pointer, and neither does what the store keeps.
  const struct = model.types[field.type] && !field.repeated && !field.map && !field.pointer && !scalars[field.type]
  const present = struct || field.required || always[owner]?.includes(field.name)
  const optional = !present && (field.pointer || field.omitempty || field.repeated || field.map)
  return `  ${/^[$\w]+$/.test(field.name) ? field.name : `'${field.name}'`}${optional ? '?' : ''}: ${type}`
}

mkdirSync(url('types'), { recursive: true })
for (const group of Object.keys(namespaces)) {
  const bodies: string[] = []
  for (const [name, { fields }] of Object.entries(model.types)) {
    const [owner, kind] = split(name)
    if (owner !== group || fields.length === 0) continue
    const parents = fields.filter(field => field.inline && field.type !== 'meta/v1.TypeMeta')
    const typeMeta = fields.some(field => field.inline && field.type === 'meta/v1.TypeMeta')
    const heirs = parents.map(field => reference(field.type, group))
    const lines = fields.filter(field => !field.inline).map(field => declare(field, group, name))
    if (typeMeta) lines.unshift('  apiVersion: string', '  kind: string')
    bodies.push(
      `export interface ${kind}${heirs.length ? ` extends ${heirs.join(', ')}` : ''} {\n${lines.join('\n')}\n}\n`,
    )
  }
  const text = bodies.join('\n')
  const imports = Object.entries(namespaces)
    .filter(([other, alias]) => other !== group && new RegExp(`\\b${alias}\\.`).test(text))
    .map(([other, alias]) => `import type * as ${alias} from './${other.replace('/', '-')}.ts'\n`)
  const head = `// Generated from ../model.json by scripts/generate-types.ts. Do not edit.\n`
  writeFileSync(url(`types/${group.replace('/', '-')}.ts`), `${head}${imports.join('')}\n${text}`)
}
const exports = Object.entries(namespaces).map(
  ([group, name]) => `export type * as ${name} from './${group.replace('/', '-')}.ts'\n`,
)
writeFileSync(url('types/index.ts'), `// Generated by scripts/generate-types.ts. Do not edit.\n${exports.join('')}`)
