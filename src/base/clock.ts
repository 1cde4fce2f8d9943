/** A pending call; `cancel` is idempotent. */
export interface Timer {
  cancel(): void
}

/** The only source of time for a component. All durations are milliseconds. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may step when the machine's clock is set. */
  now(): number
  /** Milliseconds since an arbitrary start; never steps back. Use it to measure and to schedule. */
  monotonic(): number
  /** Calls `run` once after `delay`. A timer alone does not keep the process alive. */
  after(delay: number, run: () => void): Timer
  /** Resolves after `delay`; rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(delay: number, signal?: AbortSignal): Promise<void>
}

const LONGEST_TIMEOUT = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delay, run) {
    // Node runs a longer timeout at once, so a later moment is reached in steps.
    if (delay > LONGEST_TIMEOUT) {
      let rest = systemClock.after(LONGEST_TIMEOUT, () => {
        rest = systemClock.after(delay - LONGEST_TIMEOUT, run)
      })
      return { cancel: () => rest.cancel() }
    }
    const timeout = setTimeout(run, delay)
    timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
  sleep: (delay, signal) => sleepOn(systemClock, delay, signal),
}

/** `Clock.sleep` in terms of `Clock.after`, for any clock. */
export function sleepOn(clock: Clock, delay: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(delay, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}
