export { deviceClassStrategy, resourceClaimStrategy, resourceClaimTemplateStrategy } from './claims.ts'
export { resourceSliceStrategy } from './slices.ts'
