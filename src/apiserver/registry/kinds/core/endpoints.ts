import { type core, type FieldError, names } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { PROTOCOLS } from '../../validation/containers.ts'
import { complaints, each, oneOf, required } from '../../validation/field.ts'
import { isOwnAddress, validateIp, validateReachable } from '../../validation/ip.ts'

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateEndpoints */
export const endpointsStrategy: Strategy<core.Endpoints> = {
  defaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP'
  },
  validate({ metadata, subsets }) {
    const check = isOwnAddress(metadata) ? () => [] : validateReachable
    return each(subsets, 'subsets', (subset, path) => validateSubset(subset, path, check))
  },
  warnings: () => ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
  allowCreateOnUpdate: true,
}

type CheckAddress = (address: string, field: string) => FieldError[]

function validateSubset(
  { addresses, notReadyAddresses, ports }: core.EndpointSubset,
  path: string,
  check: CheckAddress,
): FieldError[] {
  const empty = !addresses?.length && !notReadyAddresses?.length
  const many = (ports?.length ?? 0) > 1
  return [
    ...(empty ? [required(path, 'must specify `addresses` or `notReadyAddresses`')] : []),
    ...each(addresses, `${path}.addresses`, (address, at) => validateAddress(address, at, check)),
    ...each(notReadyAddresses, `${path}.notReadyAddresses`, (address, at) => validateAddress(address, at, check)),
    ...each(ports, `${path}.ports`, ({ name, port, protocol, appProtocol }, field) => [
      ...(name
        ? complaints(`${field}.name`, name, names.dns1123LabelProblems(name))
        : many
          ? [required(`${field}.name`)]
          : []),
      ...complaints(`${field}.port`, port, names.portNumberProblems(port)),
      ...oneOf(`${field}.protocol`, protocol, PROTOCOLS),
      ...(appProtocol === undefined
        ? []
        : complaints(`${field}.appProtocol`, appProtocol, names.qualifiedNameProblems(appProtocol))),
    ]),
  ]
}

const validateAddress = (
  { ip, hostname, nodeName }: core.EndpointAddress,
  path: string,
  check: CheckAddress,
): FieldError[] => [
  ...validateIp(ip, `${path}.ip`),
  ...(hostname ? complaints(`${path}.hostname`, hostname, names.dns1123LabelProblems(hostname)) : []),
  ...(nodeName !== undefined ? complaints(`${path}.nodeName`, nodeName, names.dns1123SubdomainProblems(nodeName)) : []),
  ...check(ip, `${path}.ip`),
]
