import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, copyFileSync, mkdirSync, openSync, statSync, truncateSync } from 'node:fs'
import { connect } from 'node:net'
import type { Clock, Component, Logger } from '../base/index.ts'
import { replaceFile } from './files.ts'
import type { Layout } from './layout.ts'
import { findProcess, type ProcessId, stopProcess } from './process.ts'
import { logFile, type Program } from './programs.ts'

/** What the supervisor says about its processes, in the file `Layout.state`. */
export interface State {
  supervisor: ProcessId
  programs: Record<string, ProgramState>
}

export interface ProgramState {
  phase: 'waiting' | 'starting' | 'ready' | 'backoff' | 'stopped'
  process?: ProcessId
  /** How often it has been started again. */
  restarts: number
  /** How it ended last: `exit code 1`, `signal SIGKILL`. */
  lastExit?: string
}

export interface SupervisorOptions {
  programs: Program[]
  paths: Layout
  /** Runs once every program but the container runtime has stopped, which stops then. */
  beforeLast?: () => Promise<void>
  clock: Clock
  log: Logger
}

const FIRST_DELAY = 1_000
const LONGEST_DELAY = 10_000
/** A program that lived so long is not in a crash loop: it is started again at once. */
const STEADY = 10_000
const STOP_GRACE = 10_000
const SOCKET_CHECK = 20
const LOG_CHECK = 30_000
const LARGEST_LOG = 10 << 20
/** The one that pods depend on: it stops last. */
const RUNTIME = 'containerd'

/**
 * Starts the programs, each as soon as what it needs is ready, and starts again whatever dies. Children write to their
 * log files themselves and share nothing with the supervisor, so that they outlive it.
 */
export function startSupervisor(options: SupervisorOptions): Component {
  const { programs, paths, clock, log } = options
  mkdirSync(paths.logs, { recursive: true })
  const state: State = { supervisor: findProcess(process.pid) ?? { pid: process.pid, startTime: 0 }, programs: {} }
  const publish = () => replaceFile(paths.state, `${JSON.stringify(state, null, 2)}\n`, 0o644)
  const children = new Map<string, Child>()
  for (const program of programs) {
    const status: ProgramState = { phase: 'waiting', restarts: 0 }
    state.programs[program.name] = status
    children.set(program.name, new Child(program, status, publish, options))
  }
  publish()
  for (const child of children.values()) {
    const needs = child.program.needs.map(name => children.get(name)?.firstReady)
    void Promise.all(needs).then(() => child.start())
  }
  let rotation = clock.after(LOG_CHECK, function rotate() {
    for (const name of ['supervisor', ...children.keys()]) boundLog(logFile(paths, name))
    rotation = clock.after(LOG_CHECK, rotate)
  })

  let stopping: Promise<void> | undefined
  async function stop() {
    rotation.cancel()
    const last = children.get(RUNTIME)
    await Promise.all([...children.values()].filter(child => child !== last).map(child => child.stop()))
    await options.beforeLast?.().catch(error => log.error({ error: String(error) }, 'could not stop the pods'))
    await last?.stop()
    log.info({}, 'stopped')
  }
  return { stop: () => (stopping ??= stop()) }
}

class Child {
  readonly program: Program
  readonly firstReady: Promise<void>
  readonly #status: ProgramState
  readonly #publish: () => void
  readonly #paths: Layout
  readonly #clock: Clock
  readonly #log: Logger
  #becameReady = () => {}
  #stopped = false
  #delay = 0

  constructor(program: Program, status: ProgramState, publish: () => void, options: SupervisorOptions) {
    this.program = program
    this.#status = status
    this.#publish = publish
    this.#paths = options.paths
    this.#clock = options.clock
    this.#log = options.log.child({ program: program.name })
    this.firstReady = new Promise(resolve => {
      this.#becameReady = resolve
    })
  }

  start(): void {
    if (this.#stopped) return
    const started = this.#clock.monotonic()
    const child = this.#spawn()
    const id = child.pid ? findProcess(child.pid) : undefined
    this.#set({ phase: 'starting', process: id })
    this.#log.info({ pid: child.pid }, 'started')
    void this.#awaitReady(child)
    let over = false
    const ended = (how: string) => {
      if (over) return
      over = true
      this.#ended(how, this.#clock.monotonic() - started)
    }
    child.once('error', error => ended(error.message))
    child.once('exit', (code, signal) => ended(signal ? `signal ${signal}` : `exit code ${code}`))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const id = this.#status.process
    if (id) await stopProcess(id, STOP_GRACE, this.#clock)
    this.#set({ phase: 'stopped', process: undefined })
  }

  #spawn(): ChildProcess {
    const [file = '', ...args] = this.program.command
    const output = openSync(logFile(this.#paths, this.program.name), 'a')
    try {
      // A session of its own: a terminal's Ctrl-C is not for it.
      return spawn(file, args, {
        stdio: ['ignore', output, output, 'pipe'],
        detached: true,
        env: { ...process.env, K8TS_READY_FD: '3' },
      })
    } finally {
      closeSync(output)
    }
  }

  async #awaitReady(child: ChildProcess): Promise<void> {
    const { ready } = this.program
    const running = () => child.exitCode === null && child.signalCode === null
    const isReady = ready === 'line' ? await saysReady(child) : await this.#awaitSocket(ready.socket, running)
    if (!isReady || this.#status.process?.pid !== child.pid) return
    this.#set({ phase: 'ready' })
    this.#becameReady()
  }

  async #awaitSocket(socket: string, running: () => boolean): Promise<boolean> {
    while (running()) {
      if (await accepts(socket)) return true
      await this.#clock.sleep(SOCKET_CHECK)
    }
    return false
  }

  #ended(how: string, lived: number): void {
    if (this.#stopped) return
    if (lived >= STEADY) this.#delay = 0
    this.#log.warn({ how, lived: Math.round(lived), delay: this.#delay }, 'ended; starting it again')
    this.#set({ phase: 'backoff', process: undefined, lastExit: how, restarts: this.#status.restarts + 1 })
    this.#clock.after(this.#delay, () => this.start())
    this.#delay = Math.min(this.#delay * 2 || FIRST_DELAY, LONGEST_DELAY)
  }

  #set(change: Partial<ProgramState>): void {
    Object.assign(this.#status, change)
    this.#publish()
  }
}

/** True with the first byte on file descriptor 3, false when the process has closed it without a word. */
function saysReady(child: ChildProcess): Promise<boolean> {
  const pipe = child.stdio[3]
  return new Promise(resolve => {
    if (!pipe) return resolve(false)
    pipe.once('error', () => resolve(false))
    pipe.once('close', () => resolve(false))
    pipe.once('data', () => {
      resolve(true)
      pipe.destroy()
    })
  })
}

function accepts(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const connection = connect(socket)
    const done = (answer: boolean) => {
      connection.destroy()
      resolve(answer)
    }
    connection.once('connect', () => done(true))
    connection.once('error', () => done(false))
  })
}

/** Keeps one former part beside the file. The writer has it open for appending, so it is emptied, not replaced. */
function boundLog(path: string): void {
  try {
    if (statSync(path).size <= LARGEST_LOG) return
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
