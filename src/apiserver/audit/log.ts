import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock, Logger } from '../../base/index.ts'
import type { Backend } from './auditor.ts'
import { asJson, asLegacy } from './event.ts'

export interface LogOptions {
  /** `-` for standard output. */
  path: string
  format: 'json' | 'legacy'
  /** Megabytes after which a new file is begun; 0 for never. */
  maxSize: number
  /** How many old files are kept, and for how many days; 0 for all, and for ever. */
  maxBackups: number
  maxAge: number
  /** Old files are compressed. */
  compress: boolean
}

const MEGABYTE = 1024 * 1024
const DAY = 24 * 3600 * 1000
const GZIP = '.gz'
/** `2026-01-02T03-04-05.678`, as in the names of old files. */
const STAMP = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/

/** One line an event, in a file that is put aside when it is large. Source: kube-apiserver --audit-log-path */
export function logBackend(options: LogOptions, clock: Clock, log: Logger): Backend {
  const line = options.format === 'legacy' ? asLegacy : asJson
  const out = options.path === '-' ? STANDARD_OUTPUT : rotatedFile(options, clock, log)
  return {
    process: event => out.write(`${line(event)}\n`),
    stop: async () => out.close(),
  }
}

interface Output {
  write(text: string): void
  close(): Promise<void> | void
}

const STANDARD_OUTPUT: Output = { write: text => void process.stdout.write(text), close() {} }

function rotatedFile(options: LogOptions, clock: Clock, log: Logger): Output {
  const { path, maxSize } = options
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let file = openSync(path, 'a', 0o600)
  let size = fstatSync(file).size
  let tidying: Promise<void> = tidy(options, clock).catch(error => log.warn({ error, path }, 'old audit logs stay'))
  const rotate = () => {
    closeSync(file)
    renameSync(path, backupName(path, clock.now()))
    file = openSync(path, 'a', 0o600)
    size = 0
    tidying = tidying.then(() => tidy(options, clock)).catch(error => log.warn({ error, path }, 'old audit logs stay'))
  }
  return {
    write(text) {
      const length = Buffer.byteLength(text)
      if (maxSize && size > 0 && size + length > maxSize * MEGABYTE) rotate()
      writeSync(file, text)
      size += length
    },
    async close() {
      await tidying
      closeSync(file)
    },
  }
}

function backupName(path: string, now: number): string {
  const extension = extname(path)
  const stamp = new Date(now).toISOString().slice(0, 23).replaceAll(':', '-')
  return join(dirname(path), `${basename(path, extension)}-${stamp}${extension}`)
}

/** Compresses old files, and removes those that are too many or too old. */
async function tidy({ path, maxBackups, maxAge, compress }: LogOptions, clock: Clock): Promise<void> {
  const extension = extname(path)
  const prefix = `${basename(path, extension)}-`
  const stampOf = (name: string) => {
    const bare = name.endsWith(GZIP) ? name.slice(0, -GZIP.length) : name
    return bare.startsWith(prefix) && bare.endsWith(extension)
      ? bare.slice(prefix.length, bare.length - extension.length)
      : ''
  }
  const old = readdirSync(dirname(path))
    .filter(name => STAMP.test(stampOf(name)))
    .sort((a, b) => (stampOf(a) < stampOf(b) ? 1 : -1))
  const oldest = clock.now() - maxAge * DAY
  for (const [index, name] of old.entries()) {
    const whole = join(dirname(path), name)
    const made = Date.parse(`${stampOf(name).replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:')}Z`)
    if ((maxBackups && index >= maxBackups) || (maxAge && made < oldest)) rmSync(whole, { force: true })
    else if (compress && !name.endsWith(GZIP)) {
      await pipeline(createReadStream(whole), createGzip(), createWriteStream(whole + GZIP, { mode: 0o600 }))
      rmSync(whole, { force: true })
    }
  }
}
