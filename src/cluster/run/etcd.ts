import { createServer, type Server } from 'node:http'
import type { Component } from '../../base/index.ts'
import { type Part, runAsProcess } from './process.ts'

/** The flags of etcd that mean something to what only stands in for it. */
export interface EtcdFlags {
  listenClientUrls?: string[]
  listenMetricsUrls?: string[]
}

const USUAL = 'http://localhost:2379'

/** The part of etcd's surface that harnesses wait for. */
const ANSWERS: Record<string, object> = {
  '/health': { health: 'true', reason: '' },
  '/version': { etcdserver: '3.6.0', etcdcluster: '3.6.0' },
}

/**
 * Stands in for etcd where a harness insists on starting one: it says that it is well and keeps nothing, since the API
 * server's store is embedded.
 */
export const etcdStandIn = ({ listenClientUrls = [USUAL], listenMetricsUrls = [] }: EtcdFlags): Part => ({
  name: 'etcd',
  async start() {
    const servers = await Promise.all([...listenClientUrls, ...listenMetricsUrls].map(url => serve(new URL(url))))
    return together(servers)
  },
})

export const runEtcd = (flags: EtcdFlags) => runAsProcess(etcdStandIn(flags))

function serve({ protocol, hostname, port }: URL): Promise<Server> {
  if (protocol !== 'http:') throw new Error(`the stand-in for etcd serves http only, not ${protocol}//`)
  const server = createServer(({ url }, response) => {
    const answer = ANSWERS[new URL(url ?? '/', 'http://etcd').pathname]
    response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(answer ?? { message: 'this only stands in for etcd' }))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(port), hostname.replace(/^\[|\]$/g, ''), () => resolve(server))
  })
}

const together = (servers: Server[]): Component => ({
  async stop() {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  },
})
