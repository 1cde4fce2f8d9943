/**
 * `node:http`, taken when it is needed. To import it as a module would evaluate all that it exports, among it a WebSocket
 * client that takes longer to load than this whole server.
 */
export const nodeHttp = (): typeof import('node:http') => process.getBuiltinModule('node:http')
