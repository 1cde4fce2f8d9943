import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
// scripts/setup.sh installs what this names: each program that a node runs, with its Debian package.
import packages from './packages.json' with { type: 'json' }
import { checkRoot } from './settings.ts'

/** Rejects early, and says what to do, where a node cannot run. */
export function checkMachine(): void {
  if (process.platform !== 'linux') throw new Error('a node runs on Linux only')
  checkRoot()
  const missing = missingPrograms(packages, process.env.PATH)
  if (missing.length === 0) return
  const names = missing.map(([program]) => program).join(', ')
  const install = `apt-get install ${missing.map(([, name]) => name).join(' ')}`
  throw new Error(`missing on this machine: ${names}\n\`npm run up\` installs them, and so does: ${install}`)
}

/** The entries whose program, a name or a file, cannot be run. */
export function missingPrograms(programs: Record<string, string>, path = ''): [program: string, name: string][] {
  const found = (program: string) =>
    isAbsolute(program)
      ? isProgram(program)
      : path.split(delimiter).some(directory => isProgram(join(directory, program)))
  return Object.entries(programs).filter(([program]) => !found(program))
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
