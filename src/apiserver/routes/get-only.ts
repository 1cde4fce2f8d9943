import { errors } from '../../api/index.ts'
import { parseAccept, takesIn } from '../pipeline/accept.ts'
import type { Handler } from '../pipeline/context.ts'

/** What is only read, and in these forms only. Answers 405 and 406. */
export const getOnly =
  (types: string[], handler: Handler): Handler =>
  context => {
    const { method, headers } = context.request
    if (method !== 'GET') throw errors.methodNotAllowed()
    if (headers.accept && !parseAccept(headers.accept).some(({ type }) => types.some(one => takesIn(type, one))))
      throw errors.unrepresentable(types)
    return handler(context)
  }
