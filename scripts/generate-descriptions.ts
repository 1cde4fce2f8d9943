/**
 * Makes dist/descriptions.json: what every type and field of the API is, in upstream's words, for `kubectl explain`.
 * They are the comments of the interfaces of kubernetes-models, which is generated from upstream's OpenAPI and keeps all
 * of them. The build runs it when need be. Run: node scripts/generate-descriptions.ts
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { model } from '../src/api/index.ts'
import { schemaName } from '../src/apiserver/openapi/names.ts'

type Texts = Record<string, string>

const root = join(import.meta.dirname, '..')
const PACKAGES = ['kubernetes-models', '@kubernetes-models/apimachinery']
const out = join(root, 'dist/descriptions.json')

const { types } = JSON.parse(readFileSync(join(root, 'src/api/model.json'), 'utf8')) as { types: object }
const found = new Map(PACKAGES.flatMap(readPackage))
const { apiVersion = '', kind = '' } = found.get(key(schemaName('meta/v1.DeleteOptions'))) ?? {}
const EVERY_OBJECT = { apiVersion, kind }
const result: Record<string, Texts> = {}
for (const type of Object.keys(types)) {
  const texts = found.get(key(schemaName(type)))
  if (!texts) continue
  const { field } = model.type(type)
  // What every object says in its first two fields is told of the options only.
  if (field('apiVersion') && field('kind') && field('metadata')) Object.assign(texts, EVERY_OBJECT)
  const names = ['', ...model.type(type).fields.map(({ name }) => name)]
  result[type] = Object.fromEntries(names.filter(name => texts[name]).map(name => [name, texts[name]!]))
}
mkdirSync(join(root, 'dist'), { recursive: true })
// A server that starts meanwhile finds the former one whole.
writeFileSync(`${out}.${process.pid}`, JSON.stringify(result))
renameSync(`${out}.${process.pid}`, out)
console.log(`Wrote ${out}: ${Object.keys(result).length} of ${Object.keys(types).length} types`)

function readPackage(name: string): [string, Texts][] {
  const folder = join(root, 'node_modules', name)
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.d.ts') && !path.startsWith('_schemas'))
    .flatMap(path => readInterface(readFileSync(join(folder, path), 'utf8')))
}

/** The one interface of a file, under the name that it has among all of them. */
function readInterface(source: string): [string, Texts][] {
  const name = /\bas I(Io\w+)/.exec(source)?.[1]
  const declared =
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?export interface \w+(?: extends [^{]*)? \{([\s\S]*?)\n\}/.exec(source)
  if (!name || !declared) return []
  const [, description = '', body = ''] = declared
  const fields = body.matchAll(/^ {4}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*"([^"]+)"\??:/gm)
  const texts = [...fields].map(([, comment, field]) => [field!, prose(comment!)])
  return [[key(name), { '': prose(description), ...Object.fromEntries(texts) }]]
}

/** Of `io.k8s.api.apps.v1.Deployment` and of `IoK8sApiAppsV1Deployment` alike. */
function key(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, '').toLowerCase()
}

function prose(comment: string): string {
  const lines = comment.split('\n').map(line => line.replace(/^\s*\* ?/, ''))
  return lines
    .join('\n')
    .trim()
    .replaceAll('\\*', '*')
    .replaceAll('*\\/', '*/')
    .replace(/\n@deprecated$/, '')
}
