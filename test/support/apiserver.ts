import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServer, startApiServer } from '../../src/apiserver/index.ts'
import { silentLogger, systemClock, systemRandom } from '../../src/base/index.ts'
import { openLmdb, type Store } from '../../src/store/index.ts'
import { type Credentials, createTestPki, type TestPki } from './pki.ts'

export interface TestApiServer {
  /** `https://127.0.0.1:PORT` */
  url: string
  port: number
  /** The authority of the server's certificate and of its clients', PEM. */
  ca: string
  /** Of `system:masters`. */
  admin: Credentials
  pki: TestPki
  store: Store
  /** A client certificate for somebody else. */
  identity(name: string, groups?: string[]): Promise<Credentials>
  /** Stops the server and deletes its store. */
  stop(): Promise<void>
}

export const ISSUER = 'https://kubernetes.default.svc.cluster.local'

/** A real API server on a free port of this machine, with an authority and a store of its own. */
export async function startTestApiServer(
  options: Partial<Parameters<typeof startApiServer>[0]> = {},
): Promise<TestApiServer> {
  const pki = await createTestPki()
  const path = await mkdtemp(join(tmpdir(), 'k8ts-apiserver-'))
  const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
  const store = await openLmdb({ path, ...parts })
  const server: ApiServer = await startApiServer({
    store,
    host: '127.0.0.1',
    port: 0,
    advertiseAddress: '127.0.0.1',
    tls: pki.serving,
    clientCa: pki.ca,
    serviceAccount: { issuer: ISSUER, ...pki.tokens },
    serviceClusterIpRange: '10.96.0.0/16',
    serviceNodePortRange: '30000-32767',
    ...parts,
    ...options,
  })
  return {
    url: server.url,
    port: server.port,
    ca: pki.ca,
    admin: await pki.identity('kubernetes-admin', ['system:masters']),
    pki,
    store,
    identity: pki.identity,
    async stop() {
      await server.stop()
      await store.close()
      await rm(path, { recursive: true, force: true })
    },
  }
}
