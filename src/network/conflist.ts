/** What the CNI configuration of one node depends on. */
export interface Conflist {
  /** The network's name in CNI; also the name of its folder under `dataDir`. */
  name: string
  bridge: string
  /** The node's own pod CIDRs, one for each address family. */
  podCidrs: string[]
  mtu: number
  /** Where host-local keeps its leases. */
  dataDir: string
}

/**
 * The CNI configuration list for the standard plugins: every pod gets a veth on the bridge and an address from the
 * node's pod CIDR. Masquerading is left to this agent's own nftables table, because the plugin would masquerade
 * towards other nodes' pods too. (containerd adds the loopback device by itself.)
 * Source: https://www.cni.dev/plugins/current/
 */
export const conflist = ({ name, bridge, podCidrs, mtu, dataDir }: Conflist): object => ({
  cniVersion: '1.0.0',
  name,
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipMasq: false,
      promiscMode: false,
      // Lets a pod reach itself through its own Service.
      hairpinMode: true,
      mtu,
      ipam: {
        type: 'host-local',
        dataDir,
        ranges: podCidrs.map(subnet => [{ subnet }]),
        routes: podCidrs.map(cidr => ({ dst: cidr.includes(':') ? '::/0' : '0.0.0.0/0' })),
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
})
