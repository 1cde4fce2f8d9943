import type { core, discovery } from './types/index.ts'

/** The label by which an EndpointSlice names its Service. */
export const SERVICE_NAME = 'kubernetes.io/service-name'

/** `NAMESPACE/NAME` of the Service that an EndpointSlice belongs to; empty when it names none. As an informer's index wants it. */
export function serviceKeys({ metadata: { namespace, labels } }: discovery.EndpointSlice): string[] {
  const name = labels?.[SERVICE_NAME]
  return name ? [`${namespace}/${name}`] : []
}

/** Whether it has no address of its own: its name leads to those of its pods. */
export const isHeadless = ({ spec }: core.Service): boolean => spec.clusterIP === 'None'
