import { isIP } from 'node:net'

/**
 * Flags as Go's pflag reads them, with its complaints. Source: https://pkg.go.dev/github.com/spf13/pflag
 *
 * `strings` may be given several times and separates by commas, `stringArray` only the former; `map` is `key=value` pairs;
 * a duration is milliseconds.
 */
export type Kind =
  | 'string'
  | 'strings'
  | 'stringArray'
  | 'int'
  | 'float'
  | 'bool'
  | 'duration'
  | 'ip'
  | 'map'
  | 'portRange'
  | 'certKeyPair'

export interface Flag {
  kind: Kind
  /** One letter. */
  short?: string
  /** What it says when it is given without a value; a boolean then is true. */
  bare?: string
}

export type Value = string | number | boolean | string[] | Record<string, string>

/** What is wrong with a command line; the message is pflag's. */
export class FlagError extends Error {}

const invalidSyntax = (parser: string, text: string) =>
  new FlagError(`strconv.${parser}: parsing ${JSON.stringify(text)}: invalid syntax`)

const READERS: Record<Kind, (text: string, before: Value | undefined) => Value> = {
  string: text => text,
  strings: (text, before) => [...((before as string[]) ?? []), ...commaSeparated(text)],
  stringArray: (text, before) => [...((before as string[]) ?? []), text],
  int(text) {
    if (!/^[-+]?(\d+|0x[\da-f]+)$/i.test(text)) throw invalidSyntax('ParseInt', text)
    return Number(text)
  },
  float(text) {
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) throw invalidSyntax('ParseFloat', text)
    return Number(text)
  },
  bool(text) {
    if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
    if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false
    throw invalidSyntax('ParseBool', text)
  },
  duration(text) {
    if (/^[-+]?0$/.test(text)) return 0
    if (/^[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) return milliseconds(text)
    const problem = /^[-+]?[\d.]+$/.test(text) && text !== '.' ? 'missing unit in' : 'invalid'
    throw new FlagError(`time: ${problem} duration ${JSON.stringify(text)}`)
  },
  ip(text) {
    if (!isIP(text)) throw new FlagError(`failed to parse IP: ${JSON.stringify(text)}`)
    return text
  },
  map(text, before) {
    const pairs = commaSeparated(text).map(pair => {
      const at = pair.indexOf('=')
      return at === -1 ? ([pair.trim(), ''] as const) : ([pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const)
    })
    return { ...(before as Record<string, string>), ...Object.fromEntries(pairs) }
  },
  portRange(text) {
    const parts = text.split(/[-+]/)
    for (const part of parts)
      if (!/^\d+$/.test(part)) throw new FlagError(`strconv.Atoi: parsing ${JSON.stringify(part)}: invalid syntax`)
    return text
  },
  certKeyPair(text, before) {
    const [cert, key, ...rest] = text.split(/[,:]/)
    if (!cert || !key || rest.length > 1) throw new FlagError('expected comma separated certificate and key file paths')
    return [...((before as string[]) ?? []), text]
  },
}

/** Milliseconds of each unit of a Go duration. */
const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 60e3, h: 3600e3 }

function milliseconds(text: string): number {
  const parts = [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)]
  const sum = parts.reduce((total, [, number, unit]) => total + Number(number) * UNITS[unit!]!, 0)
  return text.startsWith('-') ? -sum : sum
}

const commaSeparated = (text: string): string[] => (text === '' ? [] : text.split(',').map(part => part.trim()))

/**
 * The values by the flags' names in camel case: `--secure-port=6443` is `securePort: 6443`. Throws a FlagError; `program` is
 * whose arguments they are.
 */
export function parseFlags(flags: Record<string, Flag>, args: string[], program: string): Record<string, Value> {
  const values: Record<string, Value> = {}
  const rest: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === '--') {
      rest.push(...args.slice(index + 1))
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      rest.push(arg)
      continue
    }
    const { name, shown, value, flag } = found(flags, arg)
    const bare = flag.bare ?? (flag.kind === 'bool' ? 'true' : undefined)
    const text = value ?? bare ?? args[++index]
    if (text === undefined) throw new FlagError(`flag needs an argument: ${shown}`)
    try {
      values[camelCase(name)] = READERS[flag.kind](text, values[camelCase(name)])
    } catch (error) {
      throw new FlagError(
        `invalid argument ${JSON.stringify(text)} for ${JSON.stringify(long(name, flag))} flag: ${(error as Error).message}`,
      )
    }
  }
  if (rest.length)
    throw new FlagError(
      `${JSON.stringify(program)} does not take any arguments, got [${rest.map(arg => JSON.stringify(arg)).join(' ')}]`,
    )
  return values
}

interface Found {
  name: string
  shown: string
  value: string | undefined
  flag: Flag
}

function found(flags: Record<string, Flag>, arg: string): Found {
  if (arg.startsWith('--')) {
    const at = arg.indexOf('=')
    const name = arg.slice(2, at === -1 ? undefined : at)
    const flag = flags[name]
    if (!flag) throw new FlagError(`unknown flag: --${name}`)
    return { name, shown: `--${name}`, value: at === -1 ? undefined : arg.slice(at + 1), flag }
  }
  const letter = arg[1]!
  const name = Object.keys(flags).find(each => flags[each]!.short === letter)
  if (!name) throw new FlagError(`unknown shorthand flag: ${JSON.stringify(letter).replaceAll('"', "'")} in ${arg}`)
  const value = arg.length === 2 ? undefined : arg.slice(arg[2] === '=' ? 3 : 2)
  return { name, shown: `${JSON.stringify(letter).replaceAll('"', "'")} in ${arg}`, value, flag: flags[name]! }
}

const long = (name: string, { short }: Flag): string => (short ? `-${short}, --${name}` : `--${name}`)

const camelCase = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
