import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { writeEnvtest } from './envtest.ts'
import { replaceFile } from './files.ts'

describe('the binaries for test harnesses', () => {
  it('start this program and pass every argument on as it is', test => {
    const scratch = mkdtempSync(join(tmpdir(), 'k8ts-envtest-'))
    test.after(() => rmSync(scratch, { recursive: true }))
    replaceFile(join(scratch, 'kubectl'), '#!/bin/sh\necho kubectl "$@"\n', 0o755)
    const directory = join(scratch, "some one's assets")
    writeEnvtest(directory, ['/bin/echo', 'k8ts'], scratch)
    const run = (name: string, ...args: string[]) => execFileSync(join(directory, name), args, { encoding: 'utf8' })
    assert.equal(run('kube-apiserver', '--a=b c', "it's"), "k8ts apiserver --a=b c it's\n")
    assert.match(run('kubectl', 'version', '--client'), /./)
  })

  it('need a kubectl', test => {
    const { PATH } = process.env
    process.env.PATH = ''
    test.after(() => {
      process.env.PATH = PATH
    })
    assert.throws(() => writeEnvtest('/nonexistent', ['node']), /kubectl is not on the PATH/)
  })
})
