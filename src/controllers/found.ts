import { is } from '../api/index.ts'

/** The answer, or undefined when there is no such object. */
export async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (is(error, 'NotFound')) return undefined
    throw error
  }
}
