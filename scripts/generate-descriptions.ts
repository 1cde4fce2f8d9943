/**
 * Makes dist/descriptions.json: what every type and field of the API is, in upstream's words, for `kubectl explain`.
 * They are the comments of the generated classes of @kubernetes/client-node. Its generator leaves out those of fields
 * whose type is a class; such a field is given what its type says, and the three that every object has a text here.
 * The build runs it when need be. Run: node scripts/generate-descriptions.ts
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FieldModel, model } from '../src/api/index.ts'

interface Described {
  description: string
  fields: Map<string, string>
}

const root = join(import.meta.dirname, '..')
const models = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models')
const out = join(root, 'dist/descriptions.json')

const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'
const EVERY_OBJECT: Record<string, (kind: string) => string> = {
  metadata: () => `Standard object's metadata. More info: ${CONVENTIONS}#metadata`,
  spec: kind => `Specification of the desired behavior of the ${kind}. More info: ${CONVENTIONS}#spec-and-status`,
  status: kind => `Most recently observed status of the ${kind}. More info: ${CONVENTIONS}#spec-and-status`,
}

const { types } = JSON.parse(readFileSync(join(root, 'src/api/model.json'), 'utf8')) as { types: object }
const result: Record<string, Record<string, string>> = {}
const classes = readClasses()
for (const type of Object.keys(types)) {
  const { fields } = model.type(type)
  const described = classesFor(type).find(found => found && matches(found, fields))
  if (!described) continue
  const texts = fields.map(({ name }) => [name, described.fields.get(plain(name))]).filter(([, text]) => text)
  if (described.description || texts.length > 0)
    result[type] = { ...(described.description ? { '': described.description } : {}), ...Object.fromEntries(texts) }
}
for (const [type, described] of Object.entries(result)) {
  const { goName, fields, field } = model.type(type)
  for (const { name, type: fieldType } of fields) {
    if (described[name]) continue
    const text = (field('apiVersion') && EVERY_OBJECT[name]?.(goName)) || result[fieldType]?.['']
    if (text) described[name] = text
  }
}
mkdirSync(join(root, 'dist'), { recursive: true })
// A server that starts meanwhile finds the former one whole.
writeFileSync(`${out}.${process.pid}`, JSON.stringify(result))
renameSync(`${out}.${process.pid}`, out)
console.log(`Wrote ${out}: ${Object.keys(result).length} of ${Object.keys(types).length} types`)

/** `apps/v1.Deployment` is V1Deployment, or AppsV1Deployment where several groups have a type of that name. */
function classesFor(type: string): (Described | undefined)[] {
  const [, group = '', version = '', name = ''] = /^(.*)\/(.*)\.(.*)$/.exec(type) ?? []
  return [classes.get(capital(group) + capital(version) + name), classes.get(capital(version) + name)]
}

/** A class of that name from another group has other fields. */
function matches({ fields }: Described, declared: FieldModel[]): boolean {
  const names = new Set(declared.map(({ name }) => plain(name)))
  return [...fields.keys()].every(name => names.has(name))
}

function readClasses(): Map<string, Described> {
  const files = readdirSync(models).filter(name => name.endsWith('.d.ts'))
  return new Map(
    files.map(name => [name.slice(0, -'.d.ts'.length), readClass(readFileSync(join(models, name), 'utf8'))]),
  )
}

function readClass(source: string): Described {
  const [, description = '', body = ''] =
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?export declare class \w+ \{([\s\S]*)/.exec(source) ?? []
  const fields = body.matchAll(/(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?'([^']+)'\??:/g)
  return {
    description: prose(description),
    fields: new Map([...fields].map(([, comment, name]) => [plain(name!), prose(comment ?? '')])),
  }
}

/** Reserved words and other signs are written differently in a class: `_continue`, `x_kubernetes_list_type`. */
function plain(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, '')
}

function prose(comment: string): string {
  const lines = comment.split('\n').map(line => line.replace(/^\s*\* ?/, ''))
  return lines
    .join('\n')
    .trim()
    .replaceAll('\\n', '\n')
    .replaceAll(/\\(['"\\`])/g, '$1')
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
