import { Command, Option } from 'commander'
import { type ClusterStatus, status } from '../cluster/index.ts'
import { clusterOptions } from './program.ts'
import { table } from './table.ts'

export const command = clusterOptions(new Command('status'))
  .description('Show each component, its health, its address and its log file. Exits with 1 unless all are healthy.')
  .addOption(new Option('-o, --output <format>', 'json for machines').choices(['json']))
  .action(async ({ name, dataDir, output }) => {
    const found = await status(name, dataDir)
    if (!found) throw new Error(`there is no cluster ${name}; \`npm run up\` makes one`)
    console.log(output === 'json' ? JSON.stringify(found, null, 2) : describe(found))
    if (found.components.some(component => component.health !== 'healthy')) process.exitCode = 1
  })

function describe(cluster: ClusterStatus): string {
  const rows = cluster.components.map(({ name, health, pid, restarts, address, log }) => [
    name,
    health,
    String(pid ?? '-'),
    String(restarts),
    address,
    log,
  ])
  return [
    `Cluster ${cluster.name} is ${cluster.running ? 'running' : 'stopped'}: data in ${cluster.dataDirectory}, pods ${cluster.podCidr}, services ${cluster.serviceCidr}`,
    '',
    table(['COMPONENT', 'HEALTH', 'PID', 'RESTARTS', 'ADDRESS', 'LOG'], rows),
  ].join('\n')
}
