import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { CelError, type CelSchema, compile, loadCel, toCel } from './index.ts'

/** What kube-apiserver 1.36.3 makes of expressions, shown by `'%s'.format([dyn(...)])`, or the error that it gives. */
interface Cases {
  schema: CelSchema
  self: unknown
  expressions: [expression: string, shown: string | null, error?: string][]
}

const { schema, self, expressions }: Cases = JSON.parse(
  readFileSync(new URL('./testdata/expressions.json', import.meta.url), 'utf8'),
)

function evaluated(expression: string): [shown: unknown, error?: string] {
  // Upstream shows the error of the rule itself, which compares.
  const rule = compile(`dyn(${expression}) == 'never'`, { variables: ['self'] })
  const message = compile(`'%s'.format([dyn(${expression})])`, { variables: ['self'] })
  try {
    rule.evaluate({ self: toCel(self, schema) })
    return [message.evaluate({ self: toCel(self, schema) })]
  } catch (error) {
    if (error instanceof CelError) return [null, error.message]
    throw error
  }
}

describe('expressions', () => {
  before(loadCel)

  it('give what they give upstream', () => {
    for (const [expression, shown, error] of expressions)
      assert.deepEqual(evaluated(expression), error === undefined ? [shown] : [null, error], expression)
  })
})
