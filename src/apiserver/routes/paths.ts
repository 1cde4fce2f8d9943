import type { Reply } from '../pipeline/context.ts'

/** All that there is, in order. Source: k8s.io/apiserver/pkg/server/routes/index.go */
export const pathList = (paths: string[]): Reply => ({
  status: 200,
  body: Buffer.from(JSON.stringify({ paths: [...new Set(paths)].sort() }, null, 2)),
  type: 'application/json',
})
