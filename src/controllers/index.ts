export { type ControllerManagerOptions, startControllerManager } from './manager.ts'
