/** A schema of OpenAPI v3, as far as Kubernetes uses it. */
export interface Schema {
  description?: string
  type?: string
  format?: string
  $ref?: string
  allOf?: Schema[]
  oneOf?: Schema[]
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: Schema | boolean
  default?: unknown
  enum?: unknown[]
  [extension: `x-kubernetes-${string}`]: unknown
}

export interface GroupVersionKind {
  group: string
  kind: string
  version: string
}
