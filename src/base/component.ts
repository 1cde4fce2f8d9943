/** Something that runs until it is stopped. */
export interface Component {
  /** Resolves when every connection, timer and loop of it is released. Idempotent. */
  stop(): Promise<void>
}
