import { X509Certificate } from 'node:crypto'
import { type certificates, type FieldError, names } from '../../../api/index.ts'
import type { Strategy } from '../strategy.ts'
import {
  complaints,
  duplicate,
  each,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
  tooLong,
  unique,
} from '../validation/field.ts'

type Request = certificates.CertificateSigningRequest
type Condition = certificates.CertificateSigningRequestCondition

const TEN_MINUTES = 600
const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown'
const [APPROVED, DENIED, FAILED] = ['Approved', 'Denied', 'Failed']
/** Conditions that are true or are not there. */
const FINAL = [APPROVED, DENIED, FAILED]

const conditionsOf = ({ status }: Request, type?: string): Condition[] =>
  (status?.conditions ?? []).filter(condition => type === undefined || condition.type === type)

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
  prepareUpdate(request, old, { subresource, now }) {
    request.spec = old.spec
    if (subresource === 'status') for (const type of [APPROVED, DENIED]) keepConditions(request, old, type!)
    for (const condition of conditionsOf(request)) stamp(condition, old, now)
  },
  validate: (request, old) => [
    ...validateSpec(request.spec, old?.spec),
    ...validateConditions(request, old),
    ...(old && sameCertificate(request, old) ? [] : validateCertificate(request.status?.certificate)),
    ...FINAL.filter(type => old && conditionsOf(request, type).length < conditionsOf(old, type).length).map(type =>
      forbidden('status.conditions', `updates may not remove a condition of type "${type}"`),
    ),
  ],
  validateStatusUpdate(request, old) {
    const added = [APPROVED, DENIED].filter(type => conditionsOf(request, type).length > conditionsOf(old, type).length)
    return [
      ...certificateSigningRequestStrategy.validate!(request, old),
      ...added.map(type => forbidden('status.conditions', `updates may not add a condition of type "${type}"`)),
      ...(old.status?.certificate && !sameCertificate(request, old)
        ? [forbidden('status.certificate', 'updates may not modify existing certificate content')]
        : []),
    ]
  },
  generation: false,
  fields: ({ spec }) => ({ 'spec.signerName': spec.signerName ?? '' }),
}

const sameCertificate = (request: Request, old: Request) =>
  (request.status?.certificate ?? '') === (old.status?.certificate ?? '')

/** Whoever signs may leave these out of what it writes or tell them otherwise: they stay as the approver wrote them. */
function keepConditions(request: Request, old: Request, type: string): void {
  const before = conditionsOf(old, type)
  const now = conditionsOf(request, type)
  if (now.length !== before.length) return
  for (const [index, condition] of now.entries()) Object.assign(condition, before[index])
}

function stamp(condition: Condition, old: Request, now: string): void {
  condition.lastUpdateTime ||= now
  condition.lastTransitionTime ||=
    conditionsOf(old, condition.type).find(({ status }) => status === condition.status)?.lastTransitionTime || now
}

function validateSpec(spec: certificates.CertificateSigningRequestSpec, old: typeof spec | undefined): FieldError[] {
  const { request, usages = [], signerName, expirationSeconds: seconds } = spec
  const before = old?.usages ?? []
  const anyUsage = before.some(usage => !USAGES.includes(usage))
  const repeats = new Set(before).size < before.length
  const field = 'spec.usages'
  return [
    ...(blockType(request ?? '') === 'CERTIFICATE REQUEST'
      ? []
      : [invalid('spec.request', request ?? null, 'PEM block type must be CERTIFICATE REQUEST')]),
    ...(usages.length ? [] : [required(field)]),
    ...each(anyUsage ? [] : usages, field, (usage, path) =>
      USAGES.includes(usage) ? [] : [notSupported(path, usage, USAGES)],
    ),
    ...each(repeats ? [] : usages, field, (usage, path, index) =>
      usages.indexOf(usage) < index ? [duplicate(path, usage)] : [],
    ),
    ...(signerName === LEGACY_SIGNER && old?.signerName !== LEGACY_SIGNER
      ? [invalid('spec.signerName', signerName, 'the legacy signerName is not allowed via this API version')]
      : validateSignerName(signerName, 'spec.signerName')),
    ...(seconds !== undefined && seconds < TEN_MINUTES
      ? [
          invalid(
            'spec.expirationSeconds',
            seconds,
            `may not specify a duration less than ${TEN_MINUTES} seconds (10 minutes)`,
          ),
        ]
      : []),
  ]
}

const LONGEST_DOMAIN = 253
/** A domain, a label of it and a name. */
const LONGEST_SIGNER = 571

/** Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateSignerName */
function validateSignerName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)]
  const [domain = '', path = '', ...more] = name.split('/')
  if (!name.includes('/') || more.length)
    return [invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")]
  return [
    ...(Buffer.byteLength(domain) > LONGEST_DOMAIN ? [tooLong(field, '', LONGEST_DOMAIN)] : []),
    ...labelProblems(field, domain, names.dns1123LabelProblems),
    ...(domain.includes('.')
      ? []
      : [invalid(field, domain, 'should be a domain with at least two segments separated by dots')]),
    ...labelProblems(field, path, names.dns1123SubdomainProblems),
    ...(Buffer.byteLength(name) > LONGEST_SIGNER ? [tooLong(field, '', LONGEST_SIGNER)] : []),
  ]
}

/** What is wrong with the first bad label. */
function labelProblems(field: string, value: string, problemsOf: (label: string) => string[]): FieldError[] {
  const bad = value.split('.').find(label => problemsOf(label).length > 0)
  if (bad === undefined) return []
  return complaints(
    field,
    value,
    problemsOf(bad).map(text => `validating label ${JSON.stringify(bad)}: ${text}`),
  )
}

function validateConditions(request: Request, old: Request | undefined): FieldError[] {
  const field = 'status.conditions'
  const conditions = conditionsOf(request)
  const before = old ? conditionsOf(old) : []
  // What an old object has may stay.
  const untyped = before.some(({ type }) => !type)
  const repeats = new Set(before.map(({ type }) => type)).size < before.length
  const contradicts = (all: Condition[]) => [APPROVED, DENIED].every(wanted => all.some(({ type }) => type === wanted))
  const problems = each(conditions, field, ({ type, status }, path) => [
    ...(type || untyped ? [] : [required(`${path}.type`)]),
    ...oneOf(`${path}.status`, status, FINAL.includes(type) ? ['True'] : ['False', 'True', 'Unknown']),
  ])
  if (contradicts(conditions) && !contradicts(before)) {
    const last = conditions.findLast(({ type }) => type === APPROVED || type === DENIED)!
    problems.push(invalid(field, last.type, 'Approved and Denied conditions are mutually exclusive'))
  }
  return repeats ? problems : [...problems, ...unique(conditions, field, ({ type }) => type, 'type')]
}

const BLOCK = /-----BEGIN ([^-]*)-----\r?\n([\s\S]*?)-----END \1-----/g

const blocksOf = (base64: string) => [...Buffer.from(base64, 'base64').toString().matchAll(BLOCK)]

const blockType = (base64: string): string | undefined => blocksOf(base64)[0]?.[1]

function validateCertificate(certificate: string | undefined): FieldError[] {
  const detail = certificate ? certificateProblem(certificate) : undefined
  return detail ? [invalid('status.certificate', '<certificate data>', detail)] : []
}

function certificateProblem(certificate: string): string | undefined {
  const blocks = blocksOf(certificate)
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block'
  for (const [pem, type, content] of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (content!.includes(':')) return 'no PEM block headers are permitted'
    try {
      new X509Certificate(pem)
    } catch {
      return 'x509: malformed certificate'
    }
  }
  return undefined
}
