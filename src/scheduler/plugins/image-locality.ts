import type { Nodes, Plugin } from '../framework.ts'
import { MAX_SCORE } from './normalize.ts'

const name = 'ImageLocality'

/** Less than this to load makes no difference; more than the second, for each container, makes no further one. */
const LEAST_BYTES = 23 * 1024 * 1024
const MOST_BYTES = 1000 * 1024 * 1024

interface Wanted {
  images: string[]
  nodes: Nodes
}

/** Prefers nodes that already have the pod's images, the more so the bigger these are and the more common. */
export const imageLocality: Plugin = {
  name,
  preFilter(state, { spec }, nodes) {
    const images = [...(spec.initContainers ?? []), ...spec.containers].map(({ image = '' }) => withTag(image))
    state.set(name, { images, nodes } satisfies Wanted)
    return undefined
  },
  score(state, _pod, node) {
    const { images, nodes } = state.get(name) as Wanted
    const present = images.reduce((sum, image) => {
      const size = node.images.get(image) ?? 0
      // Weighed by its spread, so that a single node with the image does not draw all pods to itself.
      return sum + Math.floor((size * nodes.withImage(image)) / nodes.list.length)
    }, 0)
    const most = MOST_BYTES * images.length
    const bounded = Math.min(Math.max(present, LEAST_BYTES), most)
    return Math.floor((MAX_SCORE * (bounded - LEAST_BYTES)) / (most - LEAST_BYTES))
  },
}

const withTag = (image: string): string =>
  image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
