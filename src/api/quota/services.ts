import type { core } from '../types/index.ts'
import type { QuotaEvaluator } from './evaluator.ts'

const MEASURED = ['count/services', 'services', 'services.nodeports', 'services.loadbalancers']

/** What services use of a quota. Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core services.go */
export const serviceEvaluator: QuotaEvaluator<core.Service> = {
  measures: name => MEASURED.includes(name),
  usage: ({ spec }) => ({
    'count/services': '1',
    services: '1',
    'services.nodeports': String(nodePorts(spec)),
    'services.loadbalancers': spec.type === 'LoadBalancer' ? '1' : '0',
  }),
}

/** How many it has or, when it is being made, will be given. */
function nodePorts({ type, ports = [], allocateLoadBalancerNodePorts }: core.ServiceSpec): number {
  if (type === 'NodePort') return ports.length
  if (type !== 'LoadBalancer') return 0
  return allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => nodePort).length : ports.length
}
