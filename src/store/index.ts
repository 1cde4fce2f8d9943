export { type LmdbOptions, openLmdb } from './lmdb/index.ts'
export type { Bytes, Change, Entry, ListOptions, Page, Store, Watcher, WatchHandlers } from './store.ts'
export { Compacted, FutureRevision, KeyExists, RevisionMismatch, StoreClosed } from './store.ts'
