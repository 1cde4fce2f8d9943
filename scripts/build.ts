/**
 * Makes the bundle: dist/k8ts.js and one chunk for each thing that is loaded on its own, so that a process holds no more
 * than its component. Only the native store stays outside. Chunks are named by their content and old ones stay for a
 * while: a cluster that was started from the former bundle may yet load them.
 */
// The certificate library wants it to be there first.
import 'reflect-metadata'
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
const DATA = ['src/api/model.json', 'src/api/descriptions.json', 'src/api/descriptions.json.gz']
const KEEP = 7 * 24 * 60 * 60 * 1000
/** CommonJS dependencies call `require` for Node's own modules. */
const REQUIRE = `import { createRequire as k8tsRequire } from 'node:module'; const require = k8tsRequire(import.meta.url);`

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
    onLoad({ filter: /.*/, namespace: 'lazy-package' }, async ({ path }) => ({
      contents: `import '${path}'\nexport { ${(await exportsOf(path)).join(', ')} } from '${path}'`,
      resolveDir: root,
    }))
  },
}

/**
 * An import of node:http reads all that it exports, WebSocket among it, for which Node loads the whole of undici: 7 MB
 * for each process. So those few names that nobody here uses are left out.
 */
const lightHttp: Plugin = {
  name: 'light-http',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'http', namespace: 'light-http', sideEffects: false } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'light-http' }, async () => {
      const names = (await exportsOf('node:http')).filter(name => !/^(WebSocket|CloseEvent|MessageEvent)$/.test(name))
      const contents = `const http = process.getBuiltinModule('node:http')\nexport default http\n`
      return {
        contents: contents + names.map(name => `export const ${name} = /* @__PURE__ */ http.${name}`).join('\n'),
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
  minify: true,
  keepNames: true,
  legalComments: 'none',
  external: ['lmdb'],
  plugins: [lazyPackages, lightHttp],
  chunkNames: 'chunk-[hash]',
  banner: { js: REQUIRE },
  logLevel: 'warning',
  // It has told the errors by itself.
}).catch(() => process.exit(1))
mkdirSync(out, { recursive: true })
const files = new Map(result.outputFiles.map(file => [basename(file.path), Buffer.from(file.contents)]))
for (const path of DATA) if (existsSync(join(root, path))) files.set(basename(path), readFileSync(join(root, path)))
// The entry comes last: until it is there, whoever starts finds the former bundle whole.
for (const [name, content] of [...files].sort(([name]) => (name === ENTRY ? 1 : -1))) place(name, content)
for (const name of readdirSync(out)) {
  const path = join(out, name)
  if (name.startsWith('chunk-') && !files.has(name) && Date.now() - statSync(path).mtimeMs > KEEP) rmSync(path)
}
const digest = createHash('sha256')
  .update(files.get(ENTRY) ?? '')
  .digest('hex')
  .slice(0, 12)
console.log(`Built dist/${ENTRY} ${digest} in ${Math.round(performance.now() - started)} ms`)

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
