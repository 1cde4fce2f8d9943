import { type ApiServerFlags, runApiServer, versionText } from '../cluster/index.ts'
import { FLAGS } from './apiserver-flags.ts'
import { changedGates } from './feature-gates.ts'
import { FlagError, parseFlags } from './pflag.ts'

const PROGRAM = 'kube-apiserver'

/** Flags that every server has, and what they are when nobody says. */
const DEFAULTS = {
  bindAddress: '0.0.0.0',
  securePort: 6443,
  serviceClusterIpRange: '10.0.0.0/24',
  serviceNodePortRange: '30000-32767',
}

/** Not through commander: upstream's flags are to be read, and complained of, as upstream does. */
export async function run(args: string[]): Promise<void> {
  try {
    const values = parseFlags(FLAGS, args, PROGRAM)
    if (values.help) return console.log(help())
    if (values.version) return console.log(await versionText(values.version === 'raw'))
    const gates = changedGates((values.featureGates as string[] | undefined) ?? [])
    if (Number(values.v) >= 4) process.env.K8TS_LOG_LEVEL ??= 'debug'
    await runApiServer({
      ...DEFAULTS,
      ...(values as Partial<ApiServerFlags>),
      withoutEffect: [...ignored(args), ...gates.map(gate => `--feature-gates=${gate}`)],
    })
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    console.error(`Error: ${error.message}`)
    process.exitCode = 1
  }
}

/** Those that were given and change nothing. */
const ignored = (args: string[]): string[] => {
  const names = args.map(arg => /^--([^=]+)/.exec(arg)?.[1] ?? '')
  return [...new Set(names)].filter(name => FLAGS[name] && !FLAGS[name].help).map(name => `--${name}`)
}

function help(): string {
  const lines = Object.entries(FLAGS)
    .filter(([, flag]) => flag.help)
    .map(([name, { kind, short, help }]) => {
      const shown = `${short ? `-${short}, ` : ''}--${name}${kind === 'bool' ? '' : ` ${kind}`}`
      return `  ${shown.padEnd(62)} ${help}`
    })
  return [
    'Run the API server. Flags are those of kube-apiserver; those that are not listed are taken and change nothing.',
    '',
    'Usage:',
    '  k8ts apiserver [flags]',
    '',
    'Flags:',
    ...lines,
  ].join('\n')
}
