import type { Schema } from './schema.ts'

export interface Parameter {
  name: string
  in: 'query' | 'path'
  description: string
  required?: boolean
  schema: Schema
}

const string: Schema = { type: 'string', uniqueItems: true } as Schema
const integer: Schema = { type: 'integer', uniqueItems: true } as Schema
const boolean: Schema = { type: 'boolean', uniqueItems: true } as Schema

const query = (name: string, schema: Schema, description: string): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
})
const step = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  description,
  required: true,
  schema: string,
})

export const pretty = query('pretty', string, 'Whether the answer is indented for people to read.')
export const namespace = step('namespace', 'The namespace that the object belongs to.')
export const name = (kind: string) => step('name', `The name of the ${kind}.`)
export const path = step('path', 'The rest of the path, passed on.')

const dryRun = query('dryRun', string, 'All: the request is processed in every stage, and nothing is kept.')
const fieldManager = query(
  'fieldManager',
  string,
  'Whoever makes this change, in at most 128 characters; by default the first part of the user agent.',
)
const fieldValidation = query(
  'fieldValidation',
  string,
  'What happens with fields that are unknown or given twice: Ignore drops them, Warn drops them and warns (the default), Strict fails the request.',
)
const force = query('force', boolean, 'Whether an apply takes fields over that others manage. Only for apply patches.')

const timeoutSeconds = query('timeoutSeconds', integer, 'How long a list or a watch may take.')
const resourceVersion = query(
  'resourceVersion',
  string,
  'The version that the answer starts from or is not older than.',
)
const resourceVersionMatch = query(
  'resourceVersionMatch',
  string,
  'How resourceVersion applies to a list: Exact or NotOlderThan.',
)
const fieldSelector = query('fieldSelector', string, 'Only objects whose fields match; by default all.')
const labelSelector = query('labelSelector', string, 'Only objects whose labels match; by default all.')
const limit = query('limit', integer, 'At most this many objects; the continue token of the answer fetches more.')
const continuation = query('continue', string, 'The token of the page before.')
const shardSelector = query(
  'shardSelector',
  string,
  'Only the objects of one shard; behind a gate that is closed by default.',
)
const sendInitialEvents = query(
  'sendInitialEvents',
  boolean,
  'Whether a watch begins with the objects that exist, and a bookmark after them.',
)

export const listing = [
  query('allowWatchBookmarks', boolean, 'Whether a watch may send bookmarks, which carry only a resourceVersion.'),
  continuation,
  fieldSelector,
  labelSelector,
  limit,
  resourceVersion,
  resourceVersionMatch,
  sendInitialEvents,
  shardSelector,
  timeoutSeconds,
  query('watch', boolean, 'Whether to stream the changes instead of listing.'),
]

export const writing = [dryRun, fieldManager, fieldValidation]
export const patching = [dryRun, fieldManager, fieldValidation, force]

export const deleting = [
  dryRun,
  query('gracePeriodSeconds', integer, 'How long the object may take to go; 0 deletes at once.'),
  query(
    'ignoreStoreReadErrorWithClusterBreakingPotential',
    boolean,
    'Whether to delete an object that cannot be read.',
  ),
  query('orphanDependents', boolean, 'Deprecated: use propagationPolicy.'),
  query('propagationPolicy', string, 'What happens to dependents: Orphan, Background or Foreground.'),
]

export const deletingCollection = [
  continuation,
  ...deleting,
  fieldSelector,
  labelSelector,
  limit,
  resourceVersion,
  resourceVersionMatch,
  sendInitialEvents,
  shardSelector,
  timeoutSeconds,
]

export const log = [
  query('container', string, 'Whose log; by default that of the only container.'),
  query('follow', boolean, 'Whether to go on as the log grows.'),
  query('insecureSkipTLSVerifyBackend', boolean, 'Whether to accept any certificate of the kubelet.'),
  query('limitBytes', integer, 'At most this many bytes.'),
  query('previous', boolean, 'The log of the container before its last restart.'),
  query('sinceSeconds', integer, 'Only what is younger than this many seconds.'),
  query('stream', string, 'All, Stdout or Stderr.'),
  query('tailLines', integer, 'Only this many lines from the end.'),
  query('timestamps', boolean, 'Whether each line begins with its time.'),
]

const terminal = [
  query('container', string, 'In which container; by default the only one.'),
  query('stderr', boolean, 'Whether to pass on standard error.'),
  query('stdin', boolean, 'Whether to pass on standard input.'),
  query('stdout', boolean, 'Whether to pass on standard output.'),
  query('tty', boolean, 'Whether to have a terminal.'),
]

const proxied = [query('path', string, 'The path to ask of the target.')]

const CONNECTING: Record<string, Parameter[]> = {
  PodAttachOptions: terminal,
  PodExecOptions: [query('command', string, 'The command and its arguments.'), ...terminal],
  PodPortForwardOptions: [query('ports', integer, 'The ports to forward.')],
  NodeProxyOptions: proxied,
  PodProxyOptions: proxied,
  ServiceProxyOptions: proxied,
}

/** What a connection of this kind of options takes. */
export const connecting = (kind: string): Parameter[] => CONNECTING[kind] ?? []
