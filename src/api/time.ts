/** Times and durations as the API writes them. */

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since the epoch as RFC 3339 in UTC, whole seconds: `2026-01-02T03:04:05Z`. */
export const formatTime = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`

/** Milliseconds since the epoch as the API's MicroTime: `2026-01-02T03:04:05.678000Z`. */
export function formatMicroTime(milliseconds: number): string {
  const microseconds = Math.round(milliseconds * 1000)
  const rest = ((microseconds % 1000) + 1000) % 1000
  return `${new Date((microseconds - rest) / 1000).toISOString().slice(0, 23)}${String(rest).padStart(3, '0')}Z`
}

/** Milliseconds since the epoch, with decimals when the text is finer; NaN unless the text is RFC 3339. */
export function parseTime(text: string): number {
  const parts = RFC3339.exec(text)
  if (!parts) return Number.NaN
  const [, year, month, day, hour, minute, second, fraction, zone] = parts
  const moment = Date.UTC(+year!, +month! - 1, +day!, +hour!, +minute!, +second!)
  const made = new Date(moment)
  if (+year! < 100) made.setUTCFullYear(+year!)
  const real =
    made.getUTCMonth() === +month! - 1 && made.getUTCDate() === +day! && +hour! < 24 && +minute! < 60 && +second! < 60
  if (!real) return Number.NaN
  const offset = zone === 'Z' ? 0 : (+zone!.slice(1, 3) * 60 + +zone!.slice(4)) * (zone![0] === '-' ? -1 : 1)
  return made.getTime() - offset * 60_000 + (fraction ? Number(`0.${fraction}`) * 1000 : 0)
}

/** Nanoseconds of each unit of a Go duration. */
const UNITS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** Milliseconds of a Go duration (`1h15m30.5s`, `-2ms`, `0`); NaN unless the text is one. */
export function parseDuration(text: string): number {
  const sign = text[0] === '-' ? -1 : 1
  const rest = text.replace(/^[+-]/, '')
  if (rest === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return Number.NaN
  let nanoseconds = 0
  for (const [, number, unit] of rest.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g))
    nanoseconds += Number(number) * UNITS[unit!]!
  return (sign * nanoseconds) / 1e6
}

/** Milliseconds as Go prints a duration: `1h15m30.5s`, `1.5ms`, `0s`. */
export function formatDuration(milliseconds: number): string {
  const nanoseconds = Math.round(Math.abs(milliseconds) * 1e6)
  const sign = milliseconds < 0 ? '-' : ''
  if (nanoseconds === 0) return '0s'
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${sign}${nanoseconds / 1e3}µs`
  if (nanoseconds < 1e9) return `${sign}${nanoseconds / 1e6}ms`
  const hours = Math.floor(nanoseconds / 3600e9)
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9)
  const seconds = (nanoseconds % 60e9) / 1e9
  const shown = hours ? `${hours}h${minutes}m` : minutes ? `${minutes}m` : ''
  return `${sign}${shown}${seconds}s`
}
