/**
 * The nftables table that gives pods' traffic the node's address when it leaves the cluster, and nothing else:
 * pods see each other's own addresses. To be applied as one transaction; applying it again changes nothing.
 */
export const masqueradeRules = ({ table, clusterCidr }: { table: string; clusterCidr: string }): string => `\
add table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${clusterCidr} ip daddr != { ${clusterCidr}, 224.0.0.0/4 } masquerade fully-random
  }
}
`
