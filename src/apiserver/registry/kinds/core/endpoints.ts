import { type core, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { PROTOCOLS } from '../../validation/containers.ts'
import { complaints, each, oneOf, required } from '../../validation/field.ts'

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateEndpoints */
export const endpointsStrategy: Strategy<core.Endpoints> = {
  defaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP'
  },
  validate: ({ subsets }) => each(subsets, 'subsets', validateSubset),
  warnings: () => ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
  allowCreateOnUpdate: true,
}

function validateSubset({ addresses, notReadyAddresses, ports }: core.EndpointSubset, path: string): FieldError[] {
  const empty = !addresses?.length && !notReadyAddresses?.length
  const many = (ports?.length ?? 0) > 1
  return [
    ...(empty ? [required(path, 'must specify `addresses` or `notReadyAddresses`')] : []),
    ...each(addresses, `${path}.addresses`, validateAddress),
    ...each(notReadyAddresses, `${path}.notReadyAddresses`, validateAddress),
    ...each(ports, `${path}.ports`, ({ name, port, protocol }, field) => [
      ...(name
        ? complaints(`${field}.name`, name, names.dns1123LabelProblems(name))
        : many
          ? [required(`${field}.name`)]
          : []),
      ...complaints(`${field}.port`, port, names.portNumberProblems(port)),
      ...oneOf(`${field}.protocol`, protocol, PROTOCOLS),
    ]),
  ]
}

const validateAddress = ({ ip, hostname, nodeName }: core.EndpointAddress, path: string): FieldError[] => [
  ...complaints(`${path}.ip`, ip, names.ipProblems(ip)),
  ...(hostname ? complaints(`${path}.hostname`, hostname, names.dns1123LabelProblems(hostname)) : []),
  ...(nodeName ? complaints(`${path}.nodeName`, nodeName, names.dns1123SubdomainProblems(nodeName)) : []),
]
