import { CelError } from '../errors.ts'
import type { Fn, Functions } from '../functions.ts'
import { Duration, Timestamp, type Value } from '../values.ts'

const MILLI = 1_000_000n

/** The parts of a moment in a time zone: `UTC`, `Europe/Berlin`, `+02:00`. */
function parts(moment: Timestamp, zone: Value | undefined): Date {
  const millis = Number(moment.nanos / MILLI)
  if (zone === undefined || zone === 'UTC' || zone === '') return new Date(millis)
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(String(zone))
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(millis + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  try {
    const shown = new Date(millis).toLocaleString('sv-SE', { timeZone: String(zone) })
    return new Date(Date.parse(`${shown.replace(' ', 'T')}Z`) + (millis % 1000))
  } catch {
    throw new CelError(`unknown time zone ${zone}`)
  }
}

/** Of a moment, or (without a zone) of a duration as a whole number of the unit. */
const part =
  (of: (date: Date) => number, ofDuration?: (nanos: bigint) => bigint): Fn =>
  ([value, zone]) => {
    if (value instanceof Timestamp) return BigInt(of(parts(value, zone)))
    if (value instanceof Duration && ofDuration && zone === undefined) return ofDuration(value.nanos)
    throw new CelError('no such overload')
  }

const dayOfYear = (date: Date) =>
  Math.floor(
    (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0)) /
      86_400_000,
  )

const SECOND = 1_000_000_000n

export const timeFunctions: Functions = {
  '.getFullYear': part(date => date.getUTCFullYear()),
  '.getMonth': part(date => date.getUTCMonth()),
  '.getDayOfYear': part(dayOfYear),
  '.getDayOfMonth': part(date => date.getUTCDate() - 1),
  '.getDate': part(date => date.getUTCDate()),
  '.getDayOfWeek': part(date => date.getUTCDay()),
  '.getHours': part(
    date => date.getUTCHours(),
    nanos => nanos / (3600n * SECOND),
  ),
  '.getMinutes': part(
    date => date.getUTCMinutes(),
    nanos => nanos / (60n * SECOND),
  ),
  '.getSeconds': part(
    date => date.getUTCSeconds(),
    nanos => nanos / SECOND,
  ),
  '.getMilliseconds': part(
    date => date.getUTCMilliseconds(),
    nanos => nanos / MILLI,
  ),
}
