import type { certificates, FieldError } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import { duplicate, each, invalid, required } from '../validation/field.ts'

type Request = certificates.CertificateSigningRequest

const SIGNER = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[^/]+(\/[^/]+)*$/
const TEN_MINUTES = 600

/** Source: k8s.io/kubernetes/pkg/registry/certificates/certificates/strategy.go, pkg/apis/certificates/validation */
export const certificateSigningRequestStrategy: Strategy<Request> = {
  prepareCreate({ spec }, { user }) {
    // A client cannot say who it is: the server does.
    spec.username = user.name
    spec.groups = user.groups
    if (user.uid) spec.uid = user.uid
    else delete spec.uid
    if (user.extra) spec.extra = user.extra
    else delete spec.extra
  },
  prepareUpdate(request, old) {
    request.spec = old.spec
  },
  validate({ spec }) {
    const problems: FieldError[] = []
    const pem = Buffer.from(spec.request ?? '', 'base64').toString()
    if (!pem.includes('-----BEGIN CERTIFICATE REQUEST-----')) {
      problems.push(invalid('spec.request', spec.request ?? '', 'PEM block type must be CERTIFICATE REQUEST'))
    }
    if (!spec.usages?.length) problems.push(required('spec.usages'))
    const seen = new Set<string>()
    problems.push(
      ...each(spec.usages, 'spec.usages', (usage, path) => {
        if (seen.has(usage)) return [duplicate(path, usage)]
        seen.add(usage)
        return []
      }),
    )
    if (!spec.signerName) problems.push(required('spec.signerName'))
    else if (!SIGNER.test(spec.signerName)) {
      const detail = 'must be a fully qualified domain and path of the form "example.com/signer-name"'
      problems.push(invalid('spec.signerName', spec.signerName, detail))
    }
    if (spec.expirationSeconds !== undefined && spec.expirationSeconds < TEN_MINUTES) {
      problems.push(
        invalid(
          'spec.expirationSeconds',
          spec.expirationSeconds,
          `may not specify a duration less than ${TEN_MINUTES} seconds (10 minutes)`,
        ),
      )
    }
    return problems
  },
  generation: false,
  fields: ({ spec }) => ({ 'spec.signerName': spec.signerName ?? '' }),
}
