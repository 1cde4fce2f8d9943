import { type core, resources } from '../../../api/index.ts'
import { type AdmissionPlugin, forbidden, isOf } from '../admission.ts'

/** No Service gets external addresses that it has not had; whoever sets one takes what is sent there. */
export const denyExternalAddresses: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  validate(attributes) {
    const { operation, object, old } = attributes
    if ((operation !== 'CREATE' && operation !== 'UPDATE') || !isOf(attributes, resources.services)) return
    const present = (old as core.Service | undefined)?.spec.externalIPs ?? []
    const { externalIPs = [] } = (object as core.Service).spec
    if (externalIPs.some(address => !present.includes(address)))
      throw forbidden(attributes, 'Use of external IPs is denied by admission control')
  },
}
