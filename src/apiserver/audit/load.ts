import { fieldErrors } from '../../api/index.ts'
import { parseYaml, SyntaxProblem } from '../../encoding/index.ts'
import { type Policy, policyProblems } from './policy.ts'

/** The policy of a file, JSON or YAML. Rejects in upstream's words. Source: k8s.io/apiserver/pkg/audit/policy/reader.go */
export async function parsePolicy(content: Buffer, file: string): Promise<Policy> {
  try {
    return checked(await read(content))
  } catch (error) {
    throw new Error(`loading audit policy file: ${(error as Error).message}: from file ${file}`)
  }
}

async function read(content: Buffer): Promise<unknown> {
  try {
    return (await parseYaml(content)).value
  } catch (error) {
    if (error instanceof SyntaxProblem) throw new Error(`failed decoding: ${error.message}`)
    throw error
  }
}

function checked(value: unknown): Policy {
  const { apiVersion = '', kind = '', ...policy } = (value ?? {}) as Partial<Policy> & Record<string, unknown>
  if (!apiVersion || !kind)
    throw new Error('unknown group version field audit.k8s.io/__internal, Kind=Policy in policy')
  if (apiVersion !== 'audit.k8s.io/v1' || kind !== 'Policy')
    throw new Error(
      `failed decoding: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  const rules = policy.rules ?? []
  const problems = policyProblems({ ...policy, rules })
  if (problems.length) throw new Error(fieldErrors(problems))
  if (!rules.length) throw new Error('loaded illegal policy with 0 rules')
  return { ...policy, rules }
}
