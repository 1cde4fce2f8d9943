import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missingPrograms } from './machine.ts'

test('a program is looked for on the path, a file where it is to be', () => {
  const programs = { sh: 'dash', 'k8ts-absent': 'a', '/bin/sh': 'dash', '/bin/k8ts-absent': 'b', '/etc/passwd': 'c' }
  assert.deepEqual(missingPrograms(programs, '/absent:/bin'), [
    ['k8ts-absent', 'a'],
    ['/bin/k8ts-absent', 'b'],
    ['/etc/passwd', 'c'],
  ])
  assert.deepEqual(missingPrograms({ sh: 'dash' }, ''), [['sh', 'dash']])
})
