import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const SOURCES = join(import.meta.dirname, '..', 'src')

const COMPONENTS = ['controllers', 'scheduler', 'kubelet', 'proxy', 'network', 'dns']

/** Which parts each part may import: the one rule of the house, as ARCHITECTURE.md draws it. */
const ALLOWED: Record<string, string[]> = {
  base: [],
  api: ['base'],
  encoding: ['base', 'api'],
  patch: ['base', 'api'],
  store: ['base'],
  apiserver: ['base', 'api', 'encoding', 'patch', 'store'],
  client: ['base', 'api', 'encoding'],
  ...Object.fromEntries(COMPONENTS.map(name => [name, ['base', 'api', 'client']])),
  cluster: ['base', 'api', 'encoding', 'patch', 'store', 'apiserver', 'client', ...COMPONENTS],
  cli: ['base', 'cluster'],
}

interface Arrow {
  file: string
  target: string
}

const IMPORT = /\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g

/** Every relative import of the sources, both paths relative to src/. */
function arrows(): Arrow[] {
  return globSync('**/*.ts', { cwd: SOURCES }).flatMap(file => {
    const text = readFileSync(join(SOURCES, file), 'utf8')
    return [...text.matchAll(IMPORT)].map(([, specifier]) => ({
      file,
      target: relative(SOURCES, join(SOURCES, dirname(file), specifier ?? '')),
    }))
  })
}

const partOf = (path: string) => path.split('/')[0] ?? ''
const isSupport = ({ target }: Arrow) => target.startsWith('../test/support/')
const isTest = ({ file }: Arrow) => file.endsWith('.test.ts')
const crossing = arrows().filter(({ file, target }) => partOf(file) !== partOf(target))
const show = ({ file, target }: Arrow) => `${file} imports ${target}`

test('the walk sees the imports', () => {
  assert.ok(crossing.length > 50, `only ${crossing.length} imports between parts were found`)
})

test('every part has its rule', () => {
  const parts = new Set(globSync('*/', { cwd: SOURCES }).map(partOf))
  assert.deepEqual([...parts].sort(), Object.keys(ALLOWED).sort())
})

test('a part imports only the parts that it may', () => {
  // A test may look at its part from outside, through those that the part serves.
  const forbidden = crossing.filter(
    arrow => !isTest(arrow) && !ALLOWED[partOf(arrow.file)]?.includes(partOf(arrow.target)),
  )
  assert.deepEqual(forbidden.map(show), [])
})

test('a part is imported only through its index.ts', () => {
  const allowed = (arrow: Arrow) => /^[^/]+\/index\.ts$/.test(arrow.target) || (isTest(arrow) && isSupport(arrow))
  assert.deepEqual(crossing.filter(arrow => !allowed(arrow)).map(show), [])
})
