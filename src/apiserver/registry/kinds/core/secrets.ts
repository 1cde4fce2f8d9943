import type { core, FieldError } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { at, immutable, invalid, own, required, tooLong } from '../../validation/field.ts'
import { decodedBytes, LARGEST_DATA, validateFrozen, validateKeys } from './configmaps.ts'

type Secret = core.Secret

const ACCOUNT_NAME = 'kubernetes.io/service-account.name'

/** What a secret of each type must hold. Source: k8s.io/kubernetes/pkg/apis/core/validation ValidateSecret */
const TYPES: Record<string, (secret: Secret) => FieldError[]> = {
  'kubernetes.io/service-account-token': ({ metadata }) =>
    metadata.annotations?.[ACCOUNT_NAME] ? [] : [required(at('metadata.annotations', ACCOUNT_NAME))],
  'kubernetes.io/dockercfg': secret => requireJson(secret, '.dockercfg'),
  'kubernetes.io/dockerconfigjson': secret => requireJson(secret, '.dockerconfigjson'),
  'kubernetes.io/basic-auth': ({ data = {} }) =>
    'username' in data || 'password' in data ? [] : ['username', 'password'].map(key => required(at('data', key))),
  'kubernetes.io/ssh-auth': ({ data = {} }) => (data['ssh-privatekey'] ? [] : [required(at('data', 'ssh-privatekey'))]),
  'kubernetes.io/tls': ({ data = {} }) =>
    ['tls.crt', 'tls.key'].filter(key => !(key in data)).map(key => required(at('data', key))),
}

export const secretStrategy: Strategy<Secret> = {
  defaults(secret) {
    secret.type ||= 'Opaque'
    const { stringData } = secret
    if (!stringData) return
    const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
    secret.data = { ...secret.data, ...Object.fromEntries(encoded) }
    delete secret.stringData
  },

  validate(secret) {
    const { data = {}, type = '' } = secret
    const problems = validateKeys(data, 'data')
    if (decodedBytes(Object.values(data)) > LARGEST_DATA) problems.push(tooLong('data', '', LARGEST_DATA))
    return [...problems, ...(own(TYPES, type)?.(secret) ?? [])]
  },

  validateUpdate: (secret, old) => [
    ...immutable('type', secret.type, old.type),
    ...validateFrozen(secret, old, ['data']),
  ],

  warnings: secretWarnings,

  fields: ({ type }) => ({ type: type ?? '' }),
}

/** A certificate is looked at only to warn. Source: k8s.io/kubernetes/pkg/api/secret/warnings.go */
function secretWarnings({ type, data }: Secret): string[] {
  if (type !== 'kubernetes.io/tls') return []
  const [certificate, key] = ['tls.crt', 'tls.key'].map(name => Buffer.from(data?.[name] ?? '', 'base64').toString())
  if (!certificate?.includes('-----BEGIN ')) return ['tls: failed to find any PEM data in certificate input']
  return key?.includes('-----BEGIN ') ? [] : ['tls: failed to find any PEM data in key input']
}

function requireJson({ data = {} }: Secret, key: string): FieldError[] {
  const field = at('data', key)
  const text = data[key]
  if (!text) return [required(field)]
  try {
    JSON.parse(Buffer.from(text, 'base64').toString())
    return []
  } catch (error) {
    return [invalid(field, '<secret contents redacted>', (error as Error).message)]
  }
}
