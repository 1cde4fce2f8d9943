const SECOND = 1
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

/**
 * About how long `milliseconds` are, in two units while the second one still tells something: `45s`, `5m30s`, `2d3h`, `400d`.
 * Source: k8s.io/apimachinery/pkg/util/duration HumanDuration
 */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  // Clocks of two machines differ a little; more than that is worth showing.
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 2 * MINUTE) return `${seconds}s`
  if (seconds < 10 * MINUTE) return two(seconds, MINUTE, 'm', SECOND, 's')
  if (seconds < 3 * HOUR) return one(seconds, MINUTE, 'm')
  if (seconds < 8 * HOUR) return two(seconds, HOUR, 'h', MINUTE, 'm')
  if (seconds < 2 * DAY) return one(seconds, HOUR, 'h')
  if (seconds < 8 * DAY) return two(seconds, DAY, 'd', HOUR, 'h')
  if (seconds < 2 * YEAR) return one(seconds, DAY, 'd')
  if (seconds < 8 * YEAR) return two(seconds, YEAR, 'y', DAY, 'd')
  return one(seconds, YEAR, 'y')
}

const one = (seconds: number, unit: number, letter: string) => `${Math.floor(seconds / unit)}${letter}`

function two(seconds: number, unit: number, letter: string, smaller: number, smallerLetter: string): string {
  const rest = Math.floor((seconds % unit) / smaller)
  return rest === 0 ? one(seconds, unit, letter) : `${one(seconds, unit, letter)}${rest}${smallerLetter}`
}

/** How long ago an RFC 3339 time was; `<unknown>` when there is none. */
export const since = (time: string | undefined, now: number): string =>
  time ? humanDuration(now - Date.parse(time)) : '<unknown>'
