/** Makes Services work on one node, by nftables: kube-proxy in its nftables mode. */
export { type ProxyOptions, removeProxy, startProxy } from './proxy.ts'
