/** The kubelet: runs the pods of one node, and tells the API how they are. */
export { defaultConfiguration, type KubeletConfiguration } from './config.ts'
export { type KubeletOptions, startKubelet } from './kubelet.ts'
export { connectCri } from './runtime/cri/cri.ts'
export type * from './runtime/runtime.ts'
