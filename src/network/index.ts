/** The pod network of one node: CNI's configuration, routes to other nodes' pods, masquerade towards the outside. */
export { type NetworkOptions, startNetwork } from './network.ts'
export { type RemoveOptions, removeNetwork } from './remove.ts'
