import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createTestPki, type TestPki } from '../../../test/support/pki.ts'
import { silentLogger, systemClock } from '../../base/index.ts'
import { type OidcOptions, oidcTokens } from './oidc.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('tokens of an OpenID Connect issuer', () => {
  let server: Server
  let pki: TestPki
  let issuer: string
  before(async () => {
    pki = await createTestPki()
    server = createServer(await pki.server('localhost'), ({ url }, response) => {
      const jwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid })
      const documents: Record<string, object> = {
        '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/keys` },
        '/keys': { keys: [jwk(rsa.publicKey, 'r'), jwk(ec.publicKey, 'e')] },
      }
      response.end(JSON.stringify(documents[url!]))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    issuer = `https://localhost:${(server.address() as AddressInfo).port}`
  })
  after(() => server.close())

  const judge = async (claims: object, options: Partial<OidcOptions> = {}, alg = 'RS256', key = rsa.privateKey) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const whole = { iss: issuer, aud: 'me', exp: Date.now() / 1000 + 60, sub: 'jane', ...claims }
    const content = `${part({ alg })}.${part(whole)}`
    const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    const parts = { clock: systemClock, log: silentLogger }
    return oidcTokens({ issuer, clientId: 'me', ca: pki.ca, ...options }, parts).authenticate(`${content}.${signature}`)
  }
  const user = async (...args: Parameters<typeof judge>) => {
    const judged = await judge(...args)
    assert.ok(judged && 'user' in judged, JSON.stringify(judged))
    return judged.user
  }

  it('are believed', async () => {
    assert.deepEqual(await user({}), { name: `${issuer}#jane`, groups: ['system:authenticated'] })
    assert.equal((await user({}, { usernamePrefix: '-' })).name, 'jane')
    assert.equal(
      (await user({ aud: ['you', 'me'] }, { algorithms: ['ES256'] }, 'ES256', ec.privateKey)).groups.length,
      1,
    )
    const options = { usernameClaim: 'email', groupsClaim: 'roles', groupsPrefix: 'g:', requiredClaims: { hd: 'x' } }
    const claims = { email: 'j@x', email_verified: true, roles: ['a', 'b'], hd: 'x' }
    assert.deepEqual(await user(claims, options), { name: 'j@x', groups: ['g:a', 'g:b', 'system:authenticated'] })
  })

  const refused: [string, object, Partial<OidcOptions>, RegExp][] = [
    ['for somebody else', { aud: 'you' }, {}, /expected audience "me"/],
    ['that have ended', { exp: 1 }, {}, /token is expired/],
    ['signed in a way that is not wanted', {}, { algorithms: ['ES256'] }, /unsupported algorithm/],
    ['without a claim', {}, { requiredClaims: { hd: 'x' } }, /required claim hd not present/],
    ['without a name', {}, { usernameClaim: 'email' }, /parse username claims "email"/],
    [
      'of an address that is not verified',
      { email: 'j@x', email_verified: false },
      { usernameClaim: 'email' },
      /email not verified/,
    ],
  ]
  for (const [what, claims, options, message] of refused)
    it(`are refused ${what}`, async () => {
      const judged = await judge(claims, options)
      assert.match(judged && 'error' in judged ? judged.error : '', message)
    })

  it('are refused when another has signed them, and left alone when they are another issuer’s', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    assert.deepEqual(await judge({}, {}, 'RS256', other), { error: 'oidc: verify token: failed to verify signature' })
    assert.equal(await judge({ iss: 'https://else' }), undefined)
  })
})
