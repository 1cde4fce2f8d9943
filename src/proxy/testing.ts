import type { core, discovery } from '../api/index.ts'

export const testService = (name: string, spec: Partial<core.ServiceSpec>, ingress: string[] = []): core.Service =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec,
    status: { loadBalancer: { ingress: ingress.map(ip => ({ ip })) } },
  }) as core.Service

type TestEndpoint = string | (Partial<discovery.Endpoint> & { address: string })

/** Endpoints of one Service, each an address or more; ports by name. */
export const testSlice = (
  service: string,
  ports: Record<string, number>,
  endpoints: TestEndpoint[],
  protocol: discovery.EndpointPort['protocol'] = 'TCP',
): discovery.EndpointSlice =>
  ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service}-slice`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    endpoints: endpoints.map(endpoint => {
      const { address, ...rest } = typeof endpoint === 'string' ? { address: endpoint } : endpoint
      return { addresses: [address], conditions: { ready: true }, nodeName: 'here', ...rest }
    }),
    ports: Object.entries(ports).map(([name, port]) => ({ name, port, protocol })),
  }) as unknown as discovery.EndpointSlice
