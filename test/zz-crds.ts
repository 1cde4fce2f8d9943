import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { startTestApiServer, caller } from './support/apiserver.ts'
const files: string[] = []
const walk = (d: string) => { for (const n of readdirSync(d)) { const p = join(d, n); if (statSync(p).isDirectory()) walk(p); else if (/\.ya?ml$/.test(n)) files.push(p) } }
for (const d of process.argv.slice(2)) walk(d)
const server = await startTestApiServer()
const call = caller(server)
let n = 0, slow = 0
const seen = new Set<string>()
for (const f of files) {
  let docs: any[]
  try { docs = parseAllDocuments(readFileSync(f, 'utf8')).map(d => d.toJS()) } catch { continue }
  for (const doc of docs) {
    if (doc?.kind !== 'CustomResourceDefinition' || seen.has(doc.metadata.name)) continue
    seen.add(doc.metadata.name)
    doc.metadata.labels = {}; const t = performance.now()
    const r = await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldValidation=Strict', { body: doc })
    slow = Math.max(slow, performance.now() - t); n++
    if (r.status !== 201) console.log(f.split('/').pop(), r.status, r.json.message.slice(0, 1500))
  }
}
await new Promise(r => setTimeout(r, 1500)); seen.clear(); files.length = 0; (globalThis as any).gc?.(); console.log('heap', process.memoryUsage().heapUsed / 1e6)
const { items } = (await call('GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions')).json
console.log('crds', n, 'established', items.filter((i: any) => i.status.conditions?.some((c: any) => c.type === 'Established' && c.status === 'True')).length, 'slowest', slow, 'rss', process.memoryUsage().rss / 1e6)
for (const p of ['/openapi/v2', '/openapi/v3', '/apis']) { const t = performance.now(); const r = await call('GET', p, { headers: p === '/openapi/v2' ? { accept: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' } : {} }); console.log(p, r.status, r.text.length, performance.now() - t) }
await server.stop()
