import type { core } from '../api/index.ts'
import type { Nodes } from './framework.ts'
import { NodeInfo, podInfo } from './node-info.ts'

/**
 * What the scheduler knows of nodes and of the pods on them. A pod counts from the moment it is assumed on a node,
 * before the API server confirms the binding, so that the next pod sees the room gone.
 *
 * A scheduling cycle is synchronous, so it reads the cache itself: nothing changes under it and there is no snapshot.
 */
export class Cache implements Nodes {
  /** Nodes that exist. */
  readonly #nodes = new Map<string, NodeInfo>()
  /** Also what pods name but the API server does not (yet) list as a node. */
  readonly #infos = new Map<string, NodeInfo>()
  /** Pod uid to the name of the node it counts on. */
  readonly #places = new Map<string, string>()
  /** Image name to how many nodes have it. */
  readonly #images = new Map<string, number>()
  #list: NodeInfo[] | undefined

  get list(): readonly NodeInfo[] {
    this.#list ??= [...this.#nodes.values()]
    return this.#list
  }

  get(name: string): NodeInfo | undefined {
    return this.#nodes.get(name)
  }

  withImage(image: string): number {
    return this.#images.get(image) ?? 0
  }

  setNode(node: core.Node): void {
    const info = this.#info(node.metadata.name)
    this.#countImages(info, -1)
    info.setNode(node)
    this.#countImages(info, 1)
    this.#nodes.set(node.metadata.name, info)
    this.#list = undefined
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name)
    if (!info) return
    this.#countImages(info, -1)
    info.setNode(undefined)
    this.#nodes.delete(name)
    this.#list = undefined
    this.#forgetEmpty(name)
  }

  /** Counts `pod` on the node, whether assumed or bound; a pod that is already counted is moved. */
  setPod(pod: core.Pod, node: string): void {
    const uid = pod.metadata.uid
    const place = this.#places.get(uid)
    if (place !== undefined && place !== node) this.removePod(uid)
    this.#info(node).addPod(podInfo(pod))
    this.#places.set(uid, node)
  }

  removePod(uid: string): boolean {
    const place = this.#places.get(uid)
    if (place === undefined) return false
    this.#places.delete(uid)
    this.#infos.get(place)?.removePod(uid)
    this.#forgetEmpty(place)
    return true
  }

  hasPod(uid: string): boolean {
    return this.#places.has(uid)
  }

  #info(name: string): NodeInfo {
    const known = this.#infos.get(name)
    if (known) return known
    const info = new NodeInfo()
    this.#infos.set(name, info)
    return info
  }

  #forgetEmpty(name: string): void {
    const info = this.#infos.get(name)
    if (info && !info.node && info.pods.size === 0) this.#infos.delete(name)
  }

  #countImages(info: NodeInfo, by: 1 | -1): void {
    for (const image of info.images.keys()) {
      const count = this.withImage(image) + by
      if (count > 0) this.#images.set(image, count)
      else this.#images.delete(image)
    }
  }
}
