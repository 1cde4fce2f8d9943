/** The five fields of a schedule and what each may hold. Source: github.com/robfig/cron/v3 parser.go */
interface Bounds {
  least: number
  most: number
  names: string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const FIELDS: Bounds[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: MONTHS },
  { least: 0, most: 6, names: DAYS },
]

const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

/** What is wrong with a schedule, in the words of the parser; undefined when nothing is. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule.startsWith('@')) return descriptorProblem(schedule)
  const fields = schedule.trim().split(/\s+/)
  if (fields.length !== FIELDS.length) {
    return `expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(' ')}]`
  }
  for (const [index, field] of fields.entries()) {
    for (const part of field.split(',')) {
      const problem = partProblem(part, FIELDS[index]!)
      if (problem) return problem
    }
  }
  return undefined
}

function descriptorProblem(schedule: string): string | undefined {
  if (DESCRIPTORS.includes(schedule)) return undefined
  if (!schedule.startsWith('@every ')) return `unrecognized descriptor: ${schedule}`
  const duration = schedule.slice('@every '.length)
  return /^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(duration)
    ? undefined
    : `failed to parse duration ${schedule}: time: invalid duration "${duration}"`
}

/** `*`, `?`, `5`, `1-5`, each with an optional `/step`. */
function partProblem(part: string, bounds: Bounds): string | undefined {
  const [range = '', step, ...moreSteps] = part.split('/')
  const [low = '', high, ...more] = range.split('-')
  if (more.length) return `too many hyphens: ${part}`
  if (moreSteps.length) return `too many slashes: ${part}`
  const any = low === '*' || low === '?'
  const start = any ? bounds.least : numberOf(low, bounds)
  const end =
    any || (high === undefined && step !== undefined)
      ? bounds.most
      : high === undefined
        ? start
        : numberOf(high, bounds)
  if (start === undefined) return unreadable(low)
  if (end === undefined) return unreadable(high!)
  if (step !== undefined && numberOf(step, { ...bounds, names: [] }) === undefined) return unreadable(step)
  if (start < bounds.least) return `beginning of range (${start}) below minimum (${bounds.least}): ${part}`
  if (end > bounds.most) return `end of range (${end}) above maximum (${bounds.most}): ${part}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${part}`
  return step === '0' ? `step of range should be a positive number: ${part}` : undefined
}

function numberOf(text: string, { names, least }: Bounds): number | undefined {
  const index = names.indexOf(text.toLowerCase())
  if (index >= 0) return index + least
  return /^\d+$/.test(text) ? Number(text) : undefined
}

const unreadable = (text: string) =>
  `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
