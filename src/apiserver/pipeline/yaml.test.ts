import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseYaml } from '../../encoding/index.ts'
import { yamlOf } from './yaml.ts'

const written = async (value: unknown) => (await yamlOf(Buffer.from(JSON.stringify(value)))).toString()

it('writes an object with its keys in order', async () => {
  assert.equal(
    await written({ kind: 'A', b: { list: [{ z: 1, x: 'true' }, 'on'], empty: [] }, a: 'one\ntwo\n' }),
    'a: |\n  one\n  two\nb:\n  empty: []\n  list:\n  - x: "true"\n    z: 1\n  - "on"\nkind: A\n',
  )
})

it('writes a list as it would be written as a whole', async () => {
  const items = [{ metadata: { name: 'a' }, data: { text: 'one\n\n  two' } }, { metadata: { name: '1' } }, null]
  for (const list of [{ kind: 'List', apiVersion: 'v1', items }, { items }, { kind: 'Table', rows: items, x: [] }]) {
    const text = await written(list)
    assert.deepEqual((await parseYaml(Buffer.from(text))).value, list)
    assert.ok(text.includes('\n- data:\n    text: '), text)
  }
})
