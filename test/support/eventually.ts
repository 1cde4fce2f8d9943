import { setTimeout } from 'node:timers/promises'

/**
 * Tries until `check` neither throws nor gives false, and gives what it gave; after `timeout` milliseconds what it last
 * threw is the test's failure.
 */
export async function eventually<T>(check: () => Promise<T> | T, timeout = 30_000): Promise<T> {
  const end = performance.now() + timeout
  for (;;) {
    let failure: unknown = new Error(`never became true: ${check}`)
    try {
      const result = await check()
      if (result !== false) return result
    } catch (error) {
      failure = error
    }
    if (performance.now() > end) throw failure
    await setTimeout(20)
  }
}
