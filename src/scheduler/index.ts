/** Finds a node for every pod that has none: kube-scheduler with the profile `default-scheduler`. */
export { type SchedulerOptions, startScheduler } from './scheduler.ts'
