import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate and its key, both PEM. */
export interface Credentials {
  cert: string
  key: string
}

/** A throw-away authority for one test. */
export interface TestPki {
  /** PEM. */
  ca: string
  /** For a server on this machine. */
  serving: Credentials
  /** A private key and its public half, for service-account tokens. */
  tokens: { signingKey: string; publicKeys: string[] }
  /** A client certificate: the name is its CN, each group an O. */
  identity(name: string, groups?: string[]): Promise<Credentials>
  /** For another server: DNS names. */
  server(...names: string[]): Promise<Credentials>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const crypto = webcrypto as Crypto
const HOUR = 3_600_000

const makeKeys = () =>
  crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>

async function pem(format: 'pkcs8' | 'spki', key: CryptoKey): Promise<string> {
  const label = format === 'pkcs8' ? 'PRIVATE KEY' : 'PUBLIC KEY'
  const body = Buffer.from(await crypto.subtle.exportKey(format, key)).toString('base64')
  return `-----BEGIN ${label}-----\n${body.match(/.{1,64}/g)!.join('\n')}\n-----END ${label}-----\n`
}

export async function createTestPki(): Promise<TestPki> {
  const keys = await makeKeys()
  let serial = 1
  const validity = () => ({
    serialNumber: (serial++).toString(16).padStart(2, '0'),
    notBefore: new Date(Date.now() - HOUR),
    notAfter: new Date(Date.now() + 24 * HOUR),
    signingAlgorithm: ALGORITHM,
  })
  const ca = await X509CertificateGenerator.createSelfSigned(
    { ...validity(), name: 'CN=test-ca', keys, extensions: [new BasicConstraintsExtension(true, undefined, true)] },
    crypto,
  )
  const issue = async (
    subject: Record<string, string[]>[],
    usage: string,
    names: SubjectAlternativeNameExtension[],
  ): Promise<Credentials> => {
    const own = await makeKeys()
    const certificate: X509Certificate = await X509CertificateGenerator.create(
      {
        ...validity(),
        subject,
        issuer: ca.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new ExtendedKeyUsageExtension([usage]),
          await AuthorityKeyIdentifierExtension.create(keys.publicKey, false, crypto),
          ...names,
        ],
      },
      crypto,
    )
    return { cert: `${certificate.toString('pem')}\n`, key: await pem('pkcs8', own.privateKey) }
  }
  const signing = await makeKeys()
  return {
    ca: `${ca.toString('pem')}\n`,
    serving: await issue([{ CN: ['kube-apiserver'] }], ExtendedKeyUsage.serverAuth, [
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ]),
    tokens: {
      signingKey: await pem('pkcs8', signing.privateKey),
      publicKeys: [await pem('spki', signing.publicKey)],
    },
    server: (...names) =>
      issue([{ CN: [names[0]!] }], ExtendedKeyUsage.serverAuth, [
        new SubjectAlternativeNameExtension(names.map(value => ({ type: 'dns', value }))),
      ]),
    identity: (name, groups = []) =>
      issue([...groups.map(group => ({ O: [group] })), { CN: [name] }], ExtendedKeyUsage.clientAuth, []),
  }
}
