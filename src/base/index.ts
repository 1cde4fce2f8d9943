/**
 * What every component is handed instead of reaching for it: time, chance and a log.
 * A component that takes these can run on a virtual clock, from a seed, with its log in a test's hands.
 */
export type { Clock, Timer } from './clock.ts'
export { systemClock } from './clock.ts'
export { type RunCommand, runCommand } from './command.ts'
export type { Component } from './component.ts'
export { type HealthOptions, serveHealth } from './health.ts'
export type { Logger } from './logger.ts'
export { silentLogger } from './logger.ts'
export type { Random } from './random.ts'
export { seededRandom, systemRandom } from './random.ts'
export { VirtualClock } from './virtual-clock.ts'
