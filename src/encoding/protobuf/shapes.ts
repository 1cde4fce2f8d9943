import type { ValueModel } from '../../api/index.ts'

/** A list of strings with a name of its own, such as ExtraValue, is a message, where other lists are repeated fields. */
export const isMessageList = ({ kind, goType, items }: ValueModel): boolean =>
  kind === 'list' && items?.kind === 'string' && !goType.startsWith('[')
