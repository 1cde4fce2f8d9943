// Generated from ../model.json by scripts/generate-types.ts. Do not edit.
import type * as core from './core-v1.ts'
import type * as meta from './meta-v1.ts'

export interface AllocatedDeviceStatus {
  driver: string
  pool: string
  device: string
  shareID?: string
  conditions?: meta.Condition[]
  data?: unknown
  networkData?: NetworkDeviceData
}

export interface AllocationResult {
  devices: DeviceAllocationResult
  nodeSelector?: core.NodeSelector
  allocationTimestamp?: string
}

export interface CELDeviceSelector {
  expression: string
}

export interface CapacityRequestPolicy {
  default?: string
  validValues?: string[]
  validRange?: CapacityRequestPolicyRange
}

export interface CapacityRequestPolicyRange {
  min: string
  max?: string
  step?: string
}

export interface CapacityRequirements {
  requests?: Record<string, string>
}

export interface Counter {
  value: string
}

export interface CounterSet {
  name: string
  counters: Record<string, Counter>
}

export interface Device {
  name: string
  attributes?: Record<string, DeviceAttribute>
  capacity?: Record<string, DeviceCapacity>
  consumesCounters?: DeviceCounterConsumption[]
  nodeName?: string
  nodeSelector?: core.NodeSelector
  allNodes?: boolean
  taints?: DeviceTaint[]
  bindsToNode?: boolean
  bindingConditions?: string[]
  bindingFailureConditions?: string[]
  allowMultipleAllocations?: boolean
  nodeAllocatableResourceMappings?: Record<string, NodeAllocatableResourceMapping>
}

export interface DeviceAllocationConfiguration extends DeviceConfiguration {
  source: 'FromClaim' | 'FromClass'
  requests?: string[]
}

export interface DeviceAllocationResult {
  results?: DeviceRequestAllocationResult[]
  config?: DeviceAllocationConfiguration[]
}

export interface DeviceAttribute {
  int?: number
  bool?: boolean
  string?: string
  version?: string
  ints?: number[]
  bools?: boolean[]
  strings?: string[]
  versions?: string[]
}

export interface DeviceCapacity {
  value: string
  requestPolicy?: CapacityRequestPolicy
}

export interface DeviceClaim {
  requests?: DeviceRequest[]
  constraints?: DeviceConstraint[]
  config?: DeviceClaimConfiguration[]
}

export interface DeviceClaimConfiguration extends DeviceConfiguration {
  requests?: string[]
}

export interface DeviceClass {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: DeviceClassSpec
}

export interface DeviceClassConfiguration extends DeviceConfiguration {

}

export interface DeviceClassList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: DeviceClass[]
}

export interface DeviceClassSpec {
  selectors?: DeviceSelector[]
  config?: DeviceClassConfiguration[]
  extendedResourceName?: string
}

export interface DeviceConfiguration {
  opaque?: OpaqueDeviceConfiguration
}

export interface DeviceConstraint {
  requests?: string[]
  matchAttribute?: string
  distinctAttribute?: string
}

export interface DeviceCounterConsumption {
  counterSet: string
  counters: Record<string, Counter>
}

export interface DeviceRequest {
  name: string
  exactly?: ExactDeviceRequest
  firstAvailable?: DeviceSubRequest[]
}

export interface DeviceRequestAllocationResult {
  request: string
  driver: string
  pool: string
  device: string
  adminAccess?: boolean
  tolerations?: DeviceToleration[]
  bindingConditions?: string[]
  bindingFailureConditions?: string[]
  shareID?: string
  consumedCapacity?: Record<string, string>
}

export interface DeviceSelector {
  cel?: CELDeviceSelector
}

export interface DeviceSubRequest {
  name: string
  deviceClassName: string
  selectors?: DeviceSelector[]
  allocationMode?: string
  count?: number
  tolerations?: DeviceToleration[]
  capacity?: CapacityRequirements
}

export interface DeviceTaint {
  key: string
  value?: string
  effect: 'NoExecute' | 'NoSchedule' | 'None'
  timeAdded?: string
}

export interface DeviceToleration {
  key?: string
  operator?: 'Equal' | 'Exists'
  value?: string
  effect?: 'NoExecute' | 'NoSchedule' | 'None'
  tolerationSeconds?: number
}

export interface ExactDeviceRequest {
  deviceClassName: string
  selectors?: DeviceSelector[]
  allocationMode?: string
  count?: number
  adminAccess?: boolean
  tolerations?: DeviceToleration[]
  capacity?: CapacityRequirements
}

export interface NetworkDeviceData {
  interfaceName?: string
  ips?: string[]
  hardwareAddress?: string
}

export interface NodeAllocatableResourceMapping {
  capacityKey?: string
  allocationMultiplier?: string
}

export interface OpaqueDeviceConfiguration {
  driver: string
  parameters: unknown
}

export interface ResourceClaim {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: ResourceClaimSpec
  status: ResourceClaimStatus
}

export interface ResourceClaimConsumerReference {
  apiGroup?: string
  resource: string
  name: string
  uid: string
}

export interface ResourceClaimList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: ResourceClaim[]
}

export interface ResourceClaimSpec {
  devices: DeviceClaim
}

export interface ResourceClaimStatus {
  allocation?: AllocationResult
  reservedFor?: ResourceClaimConsumerReference[]
  devices?: AllocatedDeviceStatus[]
}

export interface ResourceClaimTemplate {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: ResourceClaimTemplateSpec
}

export interface ResourceClaimTemplateList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: ResourceClaimTemplate[]
}

export interface ResourceClaimTemplateSpec {
  metadata: meta.ObjectMeta
  spec: ResourceClaimSpec
}

export interface ResourcePool {
  name: string
  generation: number
  resourceSliceCount: number
}

export interface ResourceSlice {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
  spec: ResourceSliceSpec
}

export interface ResourceSliceList {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: ResourceSlice[]
}

export interface ResourceSliceSpec {
  driver: string
  pool: ResourcePool
  nodeName?: string
  nodeSelector?: core.NodeSelector
  allNodes?: boolean
  devices?: Device[]
  perDeviceNodeSelection?: boolean
  sharedCounters?: CounterSet[]
}
