/**
 * Makes the bundle: dist/k8ts.js and one chunk for each thing that is loaded on its own, so that a process holds no more
 * than its component. Only the native store stays outside. Chunks are named by their content and old ones stay for a
 * while: a cluster that was started from the former bundle may yet load them.
 */
// The certificate library wants it to be there first.
import 'reflect-metadata'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { build, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const out = join(root, 'dist')
const ENTRY = 'k8ts.js'
/** Read at run time from beside the code. */
const DATA = ['src/api/model.json']
/** Makes dist/descriptions.json, which is made anew when one of the sources is newer; slow and seldom needed. */
const DESCRIPTIONS = 'scripts/generate-descriptions.ts'
const DESCRIPTION_SOURCES = [DESCRIPTIONS, 'src/api/model.json', 'package-lock.json']
const KEEP = 7 * 24 * 60 * 60 * 1000
/** CommonJS dependencies call `require` for Node's own modules. */
const REQUIRE = `const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)`

/** The names that a module exports, as far as they can stand in an import. */
const exportsOf = async (specifier: string) =>
  Object.keys(await import(specifier)).filter(name => /^[\w$]+$/.test(name) && name !== 'default')

/**
 * `await import('cjs-package')` gives the package's names in Node; a chunk of esbuild's would have but a default export.
 * So the chunk is made of a module that names them.
 */
const lazyPackages: Plugin = {
  name: 'lazy-packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'dynamic-import' && !path.startsWith('node:') ? { path, namespace: 'lazy-package' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'lazy-package' }, async ({ path }) => {
      const names = (await exportsOf(path)).join(', ')
      // One that exports nothing is wanted for what it does.
      const contents = names ? `export { ${names} } from '${path}'` : `import '${path}'`
      return { contents, resolveDir: root }
    })
  },
}

/** For each of Node's modules, what it exports but for getters. A process of its own looks, since to look changes them. */
function plainExports(): Record<string, string[]> {
  const script = `const { builtinModules } = process.getBuiltinModule('module')
    const plain = name => Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(name)))
      .filter(([key, { get }]) => !get && key !== 'default' && /^[\\w$]+$/.test(key)).map(([key]) => key)
    console.log(JSON.stringify(Object.fromEntries(builtinModules.map(name => [name, plain(name)]))))`
  return JSON.parse(execFileSync(process.execPath, ['--no-warnings', '--eval', script], { encoding: 'utf8' }))
}

/**
 * An `import` of one of Node's own modules reads all that the module exports, and behind some names are getters that load
 * more: ReadStream of node:fs the streams, WebSocket of node:http all of undici, others WebCrypto or the root certificates.
 * That is 15 MB for each process. So the bundle takes the modules without those names; an import of one fails the build.
 */
const lightBuiltins: Plugin = {
  name: 'light-builtins',
  setup({ onResolve, onLoad }) {
    const plain = plainExports()
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind.startsWith('require') ? undefined : { path: path.slice(5), namespace: 'light-builtin', sideEffects: false },
    )
    onLoad({ filter: /.*/, namespace: 'light-builtin' }, ({ path }) => {
      const names = (plain[path] ?? []).map(name => `export_${name} = /* @__PURE__ */ (() => builtin.${name})()`)
      const exported = (plain[path] ?? []).map(name => `export_${name} as ${name}`)
      return {
        contents: `const builtin = process.getBuiltinModule('node:${path}')
          const ${names.join(', ')}
          export { builtin as default, ${exported.join(', ')} }`,
      }
    })
  },
}

const started = performance.now()
const result = await build({
  absWorkingDir: root,
  entryPoints: { k8ts: 'src/cli/main.ts' },
  outdir: out,
  write: false,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  external: ['lmdb'],
  plugins: [lazyPackages, lightBuiltins],
  chunkNames: 'chunk-[hash]',
  banner: { js: REQUIRE },
  logLevel: 'warning',
  // It has told the errors by itself.
}).catch(() => process.exit(1))
mkdirSync(out, { recursive: true })
const files = new Map(result.outputFiles.map(file => [basename(file.path), Buffer.from(file.contents)]))
for (const path of DATA) files.set(basename(path), readFileSync(join(root, path)))
if (descriptionsAreOld()) execFileSync(process.execPath, [join(root, DESCRIPTIONS)], { stdio: 'inherit' })
// The entry comes last: until it is there, whoever starts finds the former bundle whole.
for (const [name, content] of [...files].sort(([name]) => (name === ENTRY ? 1 : -1))) place(name, content)
for (const name of readdirSync(out)) {
  const path = join(out, name)
  if (name.startsWith('chunk-') && !files.has(name) && Date.now() - statSync(path).mtimeMs > KEEP) rmSync(path)
}
// What was compiled of the former bundle.
rmSync(join(out, 'compile-cache'), { recursive: true, force: true })
const digest = createHash('sha256')
  .update(files.get(ENTRY) ?? '')
  .digest('hex')
  .slice(0, 12)
console.log(`Built dist/${ENTRY} ${digest} in ${Math.round(performance.now() - started)} ms`)

function descriptionsAreOld(): boolean {
  const made = statSync(join(out, 'descriptions.json'), { throwIfNoEntry: false })
  return !made || DESCRIPTION_SOURCES.some(path => statSync(join(root, path)).mtimeMs > made.mtimeMs)
}

function place(name: string, content: Buffer): void {
  const path = join(out, name)
  if (existsSync(path) && readFileSync(path).equals(content)) {
    utimesSync(path, new Date(), new Date())
    return
  }
  const fresh = join(out, `.${name}.${process.pid}`)
  writeFileSync(fresh, content)
  renameSync(fresh, path)
}
