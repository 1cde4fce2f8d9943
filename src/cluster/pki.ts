import { createPrivateKey, generateKeyPair, randomBytes, X509Certificate } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../base/index.ts'
import { readOptional, replaceFile } from './files.ts'

/** PEM. */
export interface KeyPair {
  cert: string
  key: string
}

export interface Subject {
  commonName: string
  organization?: string
}

interface Leaf extends Subject {
  usage: 'server' | 'client'
  /** DNS names and IP addresses. */
  names?: string[]
}

/** What the certificates are made out to. */
export interface PkiOptions {
  directory: string
  nodeName: string
  nodeIp: string
  /** The address of the `kubernetes` Service. */
  serviceIp: string
  domain: string
  clock: Clock
}

const DAY = 24 * 60 * 60 * 1000
const AUTHORITY_LIFE = 3650 * DAY
const LEAF_LIFE = 365 * DAY
const RENEW_BEFORE = 30 * DAY
const EXTENDED_USAGE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }

/**
 * The cluster's certificates and keys, in the files that kubeadm would make. What is there and good stays; what is
 * missing, runs out within 30 days or is made out to other names is made anew.
 * Source: https://kubernetes.io/docs/setup/best-practices/certificates/
 */
export async function ensurePki(options: PkiOptions): Promise<{ authority: Authority }> {
  const { directory, nodeName, nodeIp, serviceIp, domain, clock } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const [authority, frontProxy] = await Promise.all([
    ensureAuthority(join(directory, 'ca'), 'kubernetes', clock),
    ensureAuthority(join(directory, 'front-proxy-ca'), 'front-proxy-ca', clock),
  ])
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${domain}`]
  const leaves: [string, Authority, Leaf][] = [
    [
      'apiserver',
      authority,
      {
        commonName: 'kube-apiserver',
        usage: 'server',
        names: distinct([...service, 'localhost', nodeName, '127.0.0.1', '::1', serviceIp, nodeIp]),
      },
    ],
    [
      'apiserver-kubelet-client',
      authority,
      { commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters', usage: 'client' },
    ],
    [
      'kubelet',
      authority,
      {
        commonName: `system:node:${nodeName}`,
        organization: 'system:nodes',
        usage: 'server',
        names: distinct([nodeName, nodeIp, '127.0.0.1']),
      },
    ],
    ['front-proxy-client', frontProxy, { commonName: 'front-proxy-client', usage: 'client' }],
  ]
  await Promise.all([
    ensureServiceAccountKey(directory),
    ...leaves.map(([file, issuer, leaf]) => ensureLeafFiles(join(directory, file), issuer, leaf)),
  ])
  return { authority }
}

/** Signs certificates. Loads the X.509 library only when it has to sign. */
export class Authority {
  readonly pair: KeyPair
  readonly #clock: Clock

  constructor(pair: KeyPair, clock: Clock) {
    this.pair = pair
    this.#clock = clock
  }

  /** `present` when it is still good for a client of this name, else a new pair. */
  async client(subject: Subject, present?: KeyPair): Promise<KeyPair> {
    return this.ensure({ ...subject, usage: 'client' }, present)
  }

  async ensure(leaf: Leaf, present?: KeyPair): Promise<KeyPair> {
    if (present && fits(present, leaf, this.pair, this.#clock)) return present
    return issue(leaf, this.#clock, { life: LEAF_LIFE, issuer: this.pair })
  }
}

async function ensureAuthority(path: string, commonName: string, clock: Clock): Promise<Authority> {
  const present = readPair(path)
  if (present && remaining(present.cert, clock) > RENEW_BEFORE) return new Authority(present, clock)
  const pair = await issue({ commonName }, clock, { life: AUTHORITY_LIFE })
  writePair(path, pair)
  return new Authority(pair, clock)
}

async function ensureLeafFiles(path: string, issuer: Authority, leaf: Leaf): Promise<void> {
  const present = readPair(path)
  const pair = await issuer.ensure(leaf, present)
  if (pair !== present) writePair(path, pair)
}

/**
 * The certificate and key in the files `path`.crt and `path`.key; when there are none, new ones for a server of these names,
 * with the authority that signed them behind the certificate.
 */
export async function ensureServingPair(path: string, names: string[], clock: Clock): Promise<KeyPair> {
  const present = readPair(path)
  if (present) return present
  const host = names[0]!
  const authority = await issue({ commonName: `${host}-ca@${Math.floor(clock.now() / 1000)}` }, clock, {
    life: LEAF_LIFE,
  })
  const leaf: Leaf = { commonName: host, usage: 'server', names: distinct(names) }
  const { cert, key } = await issue(leaf, clock, { life: LEAF_LIFE, issuer: authority })
  const pair = { cert: cert + authority.cert, key }
  writePair(path, pair)
  return pair
}

/** RSA, as kubeadm makes it: every verifier of a service account's token knows RS256. */
async function ensureServiceAccountKey(directory: string): Promise<void> {
  const path = join(directory, 'sa.key')
  if (readOptional(path) && readOptional(join(directory, 'sa.pub'))) return
  const pair = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  replaceFile(path, pair.privateKey)
  replaceFile(join(directory, 'sa.pub'), pair.publicKey)
}

/** A new key and its certificate: signed by `issuer`, or by itself (an authority). */
async function issue(
  subject: Subject & Partial<Leaf>,
  clock: Clock,
  { life, issuer }: { life: number; issuer?: KeyPair },
): Promise<KeyPair> {
  // The library finds its parts through decorators' metadata, which the language does not have yet.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const signer = issuer
    ? await crypto.subtle.importKey('pkcs8', pkcs8(issuer.key), algorithm, false, ['sign'])
    : keys.privateKey
  const issuerCert = issuer && new x509.X509Certificate(issuer.cert)
  const name: Record<string, string[]>[] = [{ CN: [subject.commonName] }]
  if (subject.organization) name.unshift({ O: [subject.organization] })
  const flags = x509.KeyUsageFlags
  const certificate = await x509.X509CertificateGenerator.create({
    // Positive and never zero, as RFC 5280 wants it.
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    subject: name,
    issuer: issuerCert?.subject ?? name,
    // A little in the past, for machines whose clocks are behind.
    notBefore: new Date(clock.now() - 5 * 60 * 1000),
    notAfter: new Date(clock.now() + life),
    publicKey: keys.publicKey,
    signingKey: signer,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(!issuer, undefined, true),
      new x509.KeyUsagesExtension(
        issuer ? flags.digitalSignature : flags.digitalSignature | flags.keyCertSign | flags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuerCert?.publicKey ?? keys.publicKey),
      ...(subject.usage ? [new x509.ExtendedKeyUsageExtension([EXTENDED_USAGE[subject.usage]])] : []),
      ...(subject.names
        ? [
            new x509.SubjectAlternativeNameExtension(
              subject.names.map(value => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
            ),
          ]
        : []),
    ],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  return { cert: `${certificate.toString('pem').trim()}\n`, key: pem('PRIVATE KEY', key) }
}

/** Whether the pair is whole, signed by `issuer`, made out to this name, and good for a while yet. */
function fits(pair: KeyPair, leaf: Leaf, issuer: KeyPair, clock: Clock): boolean {
  try {
    const certificate = new X509Certificate(pair.cert)
    return (
      remaining(pair.cert, clock) > RENEW_BEFORE &&
      certificate.verify(new X509Certificate(issuer.cert).publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
      certificate.subject ===
        [leaf.organization && `O=${leaf.organization}`, `CN=${leaf.commonName}`].filter(Boolean).join('\n') &&
      (certificate.keyUsage ?? []).includes(EXTENDED_USAGE[leaf.usage]) &&
      alternativeNames(certificate) ===
        distinct((leaf.names ?? []).map(canonicalName))
          .sort()
          .join()
    )
  } catch {
    return false
  }
}

function alternativeNames(certificate: X509Certificate): string {
  const names = (certificate.subjectAltName ?? '').split(', ').filter(Boolean)
  return names
    .map(name => canonicalName(name.replace(/^(DNS|IP Address):/, '')))
    .sort()
    .join()
}

/** One spelling for each address: OpenSSL writes ::1 as 0:0:0:0:0:0:0:1. */
const canonicalName = (name: string) => (isIP(name) === 6 ? new URL(`http://[${name}]`).hostname : name)

const remaining = (cert: string, clock: Clock) => new X509Certificate(cert).validToDate.getTime() - clock.now()

const distinct = (names: string[]) => [...new Set(names)]

function readPair(path: string): KeyPair | undefined {
  const cert = readOptional(`${path}.crt`)
  const key = readOptional(`${path}.key`)
  return cert && key ? { cert, key } : undefined
}

function writePair(path: string, { cert, key }: KeyPair): void {
  replaceFile(`${path}.key`, key)
  replaceFile(`${path}.crt`, cert)
}

const pkcs8 = (key: string) => Buffer.from(key.replace(/-----[^-]+-----|\s/g, ''), 'base64')

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
