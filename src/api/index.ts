/** What the objects are: their types, names, quantities, selectors and errors. Imports nothing of the project. */

export { type AnyCondition, findCondition, isConditionTrue, withCondition } from './conditions.ts'
export { errors, type FieldError, type FieldErrorType, fieldErrors, is, OMITTED, StatusError } from './errors.ts'
export * as ip from './ip.ts'
export { type FieldModel, type Kind, type Model, model, type TypeModel, type ValueModel } from './model.ts'
export * as names from './names.ts'
export { podResources } from './pod-resources.ts'
export { isPodActive, isPodReady, isPodTerminal, isSidecar, podTotal } from './pods.ts'
export {
  canonicalQuantity,
  formatQuantity,
  parseQuantity,
  type Quantity,
  type QuantityFormat,
  quantity,
} from './quantity.ts'
export { evaluatorOf, inScopes, isTerminating, type QuotaEvaluator } from './quota/index.ts'
export {
  apiVersion,
  type Draft,
  type KubeObject,
  listKind,
  listType,
  type Resource,
  type Subresource,
} from './resource.ts'
export { type ResourceList, resourceList } from './resource-lists.ts'
export * as resources from './resources.ts'
export { allResources, findResource } from './resources.ts'
export { FieldSelector, LabelSelector, type Operator, type Requirement, SelectorError } from './selectors.ts'
export { isHeadless, SERVICE_NAME, serviceKeys } from './services.ts'
export { formatDuration, formatMicroTime, formatTime, parseDuration, parseTime } from './time.ts'
export * from './types/index.ts'
