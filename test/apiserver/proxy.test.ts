import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { createServer, request, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import {
  type Call,
  caller,
  makeServiceAccount,
  podNamed,
  startTestApiServer,
  type TestApiServer,
} from '../support/apiserver.ts'
import { createTestPki } from '../support/pki.ts'

const PODS = '/api/v1/namespaces/default/pods'

describe('the way to kubelets', () => {
  let server: TestApiServer
  let call: Call
  let kubelet: Server
  /** What the kubelet was asked, and by whom. */
  const asked: { url: string; who: string | string[] | undefined; protocol: string | undefined }[] = []
  /** What the kubelet answers a plain request with. */
  let answer: { code: number; body: string } = { code: 200, body: 'one\ntwo\n' }

  before(async () => {
    const pki = await createTestPki()
    kubelet = createServer({ ...pki.serving, ca: pki.ca, requestCert: true }, (incoming, response) => {
      note(incoming)
      response.writeHead(answer.code, { 'Content-Type': 'text/plain' })
      // A log that is followed does not end by itself.
      if (incoming.url!.includes('follow=true')) response.write(answer.body)
      else response.end(answer.body)
    })
    kubelet.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      note(incoming)
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${incoming.headers.upgrade}\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n`,
      )
      if (head.length) socket.write(head)
      socket.pipe(socket)
      socket.on('error', () => socket.destroy())
    })
    await new Promise<void>(resolve => kubelet.listen(0, '127.0.0.1', resolve))
    const client = await pki.identity('kube-apiserver-kubelet-client', ['system:masters'])
    server = await startTestApiServer({ kubeletClient: { ca: pki.ca, ...client } })
    call = caller(server)
    await makeServiceAccount(call)
    await call('POST', '/api/v1/nodes', {
      body: {
        metadata: { name: 'n1' },
        status: {
          addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
          daemonEndpoints: { kubeletEndpoint: { Port: (kubelet.address() as AddressInfo).port } },
        },
      },
    })
    await call('POST', PODS, { body: podNamed('one') })
    await call('POST', PODS, { body: podNamed('unbound') })
    const two = podNamed('two')
    two.spec.containers.push({ name: 'side', image: 'k8ts.local/demo:latest' })
    await call('POST', PODS, { body: two })
    for (const name of ['one', 'two'])
      await call('POST', `${PODS}/${name}/binding`, {
        body: { metadata: { name }, target: { kind: 'Node', name: 'n1' } },
      })
  })
  after(async () => {
    await server.stop()
    kubelet.closeAllConnections()
    kubelet.close()
  })

  function note({ url, socket, headers }: IncomingMessage) {
    asked.push({ url: url!, who: (socket as TLSSocket).getPeerCertificate().subject?.CN, protocol: headers.upgrade })
  }

  it('passes logs on', async () => {
    const { status, text, headers } = await call('GET', `${PODS}/one/log?tailLines=2&timestamps=true`)
    assert.equal(status, 200)
    assert.equal(text, 'one\ntwo\n')
    assert.match(headers['content-type']!, /^text\/plain/)
    assert.deepEqual(asked.at(-1), {
      url: '/containerLogs/default/one/main?timestamps=true&tailLines=2',
      who: 'kube-apiserver-kubelet-client',
      protocol: undefined,
    })
  })

  it('passes a log on as it grows', async () => {
    const chunk = await new Promise<string>((resolve, reject) => {
      const { ca, admin, port } = server
      const sent = request(
        { host: '127.0.0.1', port, ca, ...admin, path: `${PODS}/one/log?follow=true`, agent: false },
        response => {
          response.once('data', data => {
            resolve(String(data))
            sent.destroy()
          })
        },
      )
      sent.on('error', reject)
      sent.end()
    })
    assert.equal(chunk, 'one\ntwo\n')
  })

  it('says which containers there are', async () => {
    const cases: [string, string][] = [
      ['/two/log', 'a container name must be specified for pod two, choose one of: [main side]'],
      ['/two/log?container=none', 'container none is not valid for pod two'],
      [
        '/two/exec?command=ls&stdout=true',
        'a container name must be specified for pod two, choose one of: [main side]',
      ],
      ['/one/exec?stdout=true', 'you must specify at least 1 command for the container'],
      ['/one/exec?command=ls', 'you must specify at least one of stdin, stdout, stderr'],
      ['/one/exec?command=ls&stdout=true', 'Upgrade request required'],
      ['/unbound/exec?command=ls&stdout=true', 'pod unbound does not have a host assigned'],
    ]
    for (const [path, message] of cases) {
      const { status, json } = await call('GET', PODS + path)
      assert.equal(status, 400)
      assert.equal(json.message, message)
    }
    assert.equal((await call('GET', `${PODS}/unbound/log`)).text, '')
    assert.equal((await call('GET', `${PODS}/none/log`)).status, 404)
  })

  it('makes a Status of what the kubelet complains about', async () => {
    const complaint = 'container "main" in pod "one" is waiting to start: ContainerCreating'
    answer = { code: 400, body: complaint }
    const { status, json } = await call('GET', `${PODS}/one/log`)
    answer = { code: 200, body: 'one\ntwo\n' }
    assert.equal(status, 400)
    assert.equal(json.message, complaint)
    assert.equal(json.reason, 'BadRequest')
  })

  /** Upgrades, says something and returns what comes back. */
  const talk = (path: string, protocol: string, as = server.admin): Promise<{ status: number; echo: string }> =>
    new Promise((resolve, reject) => {
      const { ca, port } = server
      const headers = { Connection: 'Upgrade', Upgrade: protocol }
      const sent = request({ host: '127.0.0.1', port, ca, ...as, path, headers, agent: false, method: 'GET' })
      sent.on('error', reject)
      sent.on('response', response => {
        response.resume()
        resolve({ status: response.statusCode!, echo: '' })
      })
      sent.on('upgrade', (response, socket) => {
        socket.once('data', (data: Buffer) => {
          resolve({ status: response.statusCode!, echo: String(data) })
          socket.destroy()
        })
        socket.write('hello')
      })
      sent.end()
    })

  it('joins the two ends of an upgrade, byte for byte', async () => {
    const exec = await talk(
      `${PODS}/one/exec?command=sh&command=-c&stdin=true&stdout=true&tty=true&container=main`,
      'SPDY/3.1',
    )
    assert.deepEqual(exec, { status: 101, echo: 'hello' })
    assert.equal(asked.at(-1)!.url, '/exec/default/one/main?input=1&output=1&tty=1&command=sh&command=-c')
    assert.equal(asked.at(-1)!.protocol, 'SPDY/3.1')
    assert.deepEqual(await talk(`${PODS}/one/attach?stdout=true`, 'websocket'), { status: 101, echo: 'hello' })
    assert.equal(asked.at(-1)!.url, '/attach/default/one/main?output=1')
    assert.deepEqual(await talk(`${PODS}/one/portforward`, 'SPDY/3.1'), { status: 101, echo: 'hello' })
    assert.equal(asked.at(-1)!.url, '/portForward/default/one')
  })

  it('refuses an upgrade as it refuses any request', async () => {
    const bob = await server.identity('bob')
    assert.equal((await talk(`${PODS}/one/exec?command=sh&stdin=true`, 'SPDY/3.1', bob)).status, 403)
    assert.equal((await talk(`${PODS}/none/exec?command=sh&stdin=true`, 'SPDY/3.1')).status, 404)
  })

  it('reaches any path of a node’s kubelet', async () => {
    const { text } = await call('GET', '/api/v1/nodes/n1/proxy/metrics/cadvisor?a=b')
    assert.equal(text, 'one\ntwo\n')
    assert.equal(asked.at(-1)!.url, '/metrics/cadvisor?a=b')
  })

  it('says when a kubelet cannot be reached', async () => {
    await call('POST', '/api/v1/nodes', {
      body: {
        metadata: { name: 'n2' },
        status: {
          addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
          daemonEndpoints: { kubeletEndpoint: { Port: 1 } },
        },
      },
    })
    const { status, json } = await call('GET', '/api/v1/nodes/n2/proxy/healthz')
    assert.equal(status, 500)
    assert.match(json.message, /error dialing backend: .*ECONNREFUSED/)
  })
})
