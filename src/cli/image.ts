import { Command } from 'commander'
import { importImages, listImages } from '../cluster/index.ts'
import { clusterOptions } from './program.ts'
import { table } from './table.ts'

const importCommand = clusterOptions(new Command('import'))
  .description('Load the images of a docker or OCI archive onto every node.')
  .argument('<file>', 'the archive, as `docker save` or `skopeo copy` writes it')
  .action(async (file, options) => {
    for (const image of await importImages(options, file)) console.log(`Imported ${image}`)
  })

const listCommand = clusterOptions(new Command('list'))
  .description('List the images that the nodes have.')
  .action(async options => {
    const rows = (await listImages(options)).map(({ name, digest, size }) => [name, digest.slice(0, 19), size])
    console.log(table(['IMAGE', 'DIGEST', 'SIZE'], rows))
  })

export const command = new Command('image')
  .description('Import images onto every node, or list them.')
  .addCommand(importCommand)
  .addCommand(listCommand)
