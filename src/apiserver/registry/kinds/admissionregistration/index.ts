export { policyBindingStrategy } from './bindings.ts'
export { mutatingPolicyStrategy, validatingPolicyStrategy } from './policies.ts'
export { mutatingWebhookStrategy, validatingWebhookStrategy } from './webhooks.ts'
