import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { errors } from '../../../api/index.ts'
import type { JsonSchema } from '../../../encoding/index.ts'
import { rootRules, ruleProblems } from '../../crd/validation/rules.ts'
import { isFunction } from '../functions.ts'
import { compile, loadCel } from '../index.ts'
import { allOverloads } from './overloads.ts'

/** What kube-apiserver 1.36.3 says of each rule on a schema: what is wrong with it, or that it may cost too much. */
interface Cases {
  schema: JsonSchema
  rules: [rule: string, problems: string[]][]
}

const { schema, rules }: Cases = JSON.parse(readFileSync(new URL('../testdata/rules.json', import.meta.url), 'utf8'))

const HINT =
  ' (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'

function problemsOf(rule: string): string[] {
  const ruled = { ...schema, 'x-kubernetes-validations': [{ rule }] }
  const { details } = errors.invalid(
    { group: '', kind: 'K' },
    'n',
    ruleProblems(ruled, 'spec', false, rootRules(), undefined),
  ).status
  return (details?.causes ?? []).map(({ message }) =>
    (message ?? '').replace(/^Invalid value: \{.*?\}: /s, '').replace(HINT, ''),
  )
}

describe('the check of expressions', () => {
  before(loadCel)

  it('finds what upstream finds, and estimates the same cost', () => {
    for (const [rule, problems] of rules) assert.deepEqual(problemsOf(rule), problems, rule)
  })

  it('lets through only what can be evaluated', () => {
    for (const [rule, problems] of rules)
      if (!problems.length) assert.doesNotThrow(() => compile(rule, { variables: ['self', 'oldSelf'] }), rule)
    const missing = allOverloads().filter(({ name, method }) => !/^\W|^_|@/.test(name) && !isFunction(name, method))
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    )
  })
})
