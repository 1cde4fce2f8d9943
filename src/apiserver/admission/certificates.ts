import { type certificates, errors } from '../../api/index.ts'
import { type Authorizer, MASTERS, question } from '../authz/authorizer.ts'
import type { User } from '../pipeline/context.ts'
import { same } from '../registry/validation/field.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'
import { subjectOfRequest } from './csr.ts'

type Request = certificates.CertificateSigningRequest

const GROUP = 'certificates.k8s.io'
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'

/**
 * To approve or to sign a certificate takes, besides the right to the subresource, that to the signer or to all of its domain.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#authorization
 */
export const certificatePlugins = (authorizer: Authorizer): AdmissionPlugin[] => [
  {
    name: 'CertificateApproval',
    async validate(attributes) {
      if (!isAbout(attributes, 'approval')) return
      const { signerName } = (attributes.old as Request).spec
      if (await mayUse(authorizer, attributes.user, 'approve', signerName)) return
      throw refused(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`)
    },
  },
  {
    name: 'CertificateSigning',
    async validate(attributes) {
      if (!isAbout(attributes, 'status')) return
      const [object, old] = [attributes.object as Request, attributes.old as Request]
      const { certificate, conditions } = object.status
      if (certificate === old.status.certificate && same(conditions, old.status.conditions)) return
      const { signerName } = old.spec
      if (await mayUse(authorizer, attributes.user, 'sign', signerName)) return
      throw refused(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`)
    },
  },
  {
    name: 'CertificateSubjectRestriction',
    async validate(attributes) {
      const { resource, subresource, operation, object } = attributes
      if (resource.group !== GROUP || resource.resource !== 'certificatesigningrequests') return
      if (subresource || operation !== 'CREATE') return
      const { signerName, request } = (object as Request).spec
      if (signerName !== CLIENT_SIGNER) return
      const subject = await subjectOfRequest(request).catch((error: Error) => {
        throw refused(attributes, `failed to parse CSR: ${error.message}`)
      })
      if (!subject.organizations.includes(MASTERS)) return
      throw refused(attributes, `use of ${CLIENT_SIGNER} signer with system:masters group is not allowed`)
    },
  },
]

const isAbout = ({ resource, subresource, operation }: Attributes, part: string) =>
  operation === 'UPDATE' && resource.resource === 'certificatesigningrequests' && subresource === part

async function mayUse(authorizer: Authorizer, user: User, verb: string, signer: string): Promise<boolean> {
  for (const name of [signer, `${signer.split('/', 1)[0]}/*`]) {
    const asked = question({ user, verb, group: GROUP, resource: 'signers', name })
    if ((await authorizer.authorize(asked)).allowed) return true
  }
  return false
}

const refused = ({ resource, name }: Attributes, detail: string) => errors.forbidden(resource, name, detail)
