import { type admissionregistration, apiVersion, model, type Resource, type ValueModel } from '../../../api/index.ts'
import type { JsonSchema } from '../../../encoding/index.ts'
import { declaredType } from '../../cel/checker/declared.ts'
import { BOOL, BYTES, DOUBLE, DYN, INT, STRING, TIMESTAMP, type Type } from '../../cel/checker/types.ts'
import { escapedField } from '../../cel/fields.ts'
import { memoized } from '../../memo.ts'
import type { Registry } from '../../registry/registry.ts'
import { type ExpressionScope, typeProblem } from '../scope.ts'

/**
 * What is wrong with a policy's expressions given the types of the objects that it is about, which nobody knows until it
 * is. Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go
 */

type Policy = admissionregistration.ValidatingAdmissionPolicy
type Warning = admissionregistration.ExpressionWarning

/** Kinds that one policy is checked against at most. */
const MOST_KINDS = 10

export function expressionWarnings(registry: Registry, { spec }: Policy): Warning[] {
  const kinds = kindsOf(registry, spec.matchConstraints?.resourceRules ?? [])
  const params = spec.paramKind && findKind(registry, spec.paramKind)
  const warning = (text: string, fieldRef: string): Warning[] => {
    const problems = kinds.flatMap(resource => {
      const scope: ExpressionScope = {
        of: 'policy',
        params: spec.paramKind !== undefined,
        variables: spec.variables ?? [],
        object: typeOfKind(registry, resource),
        ...(params ? { paramsType: typeOfKind(registry, params) } : {}),
      }
      const problem = typeProblem(text, scope)
      const { group, version, kind } = resource
      return problem ? [`${group}/${version}, Kind=${kind}: ${problem}\n`] : []
    })
    return problems.length ? [{ fieldRef, warning: problems.join('\n') }] : []
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, index) => [
    ...warning(expression, `spec.validations[${index}].expression`),
    ...(messageExpression ? warning(messageExpression, `spec.validations[${index}].messageExpression`) : []),
  ])
}

/** The kinds that rules name; a rule that names a group or a version by a star names none. */
function kindsOf({ resources }: Registry, rules: admissionregistration.NamedRuleWithOperations[]): Resource[] {
  const found = new Map<string, Resource>()
  for (const { apiGroups = [], apiVersions = [], resources: wanted = [] } of rules) {
    if ([...apiGroups, ...apiVersions].some(name => name.includes('*'))) continue
    for (const resource of resources.all()) {
      const { group, version, resource: name, kind } = resource
      const named = apiGroups.includes(group) && apiVersions.includes(version) && wanted.includes(name)
      if (named && found.size < MOST_KINDS) found.set(`${group} ${version} ${kind}`, resource)
    }
  }
  return [...found.keys()].sort().map(key => found.get(key)!)
}

const findKind = ({ resources }: Registry, { apiVersion: version, kind }: admissionregistration.ParamKind) =>
  resources.all().find(each => each.kind === kind && apiVersion(each) === version)

function typeOfKind({ served }: Registry, resource: Resource): Type {
  const { custom } = served(resource)
  return custom ? declaredType(custom.schema as JsonSchema, true) : typeOfStruct(resource.type)
}

const structs = new Map<string, Type>()

/** Types may contain themselves, and so their fields are looked up when they are asked for. */
class Fields extends Map<string, Type> {
  readonly #struct: string
  constructor(struct: string) {
    super()
    this.#struct = struct
  }
  override get(name: string): Type | undefined {
    const field = model.type(this.#struct).fields.find(each => escapedField(each.name) === name)
    return field && typeOfValue(field)
  }
}

const typeOfStruct = (name: string): Type =>
  memoized(structs, name, () => ({ is: 'object', name, fields: new Fields(name) }))

/** Undefined for what expressions are to know nothing of. */
function typeOfValue({ kind, type, items }: ValueModel): Type | undefined {
  switch (kind) {
    case 'struct':
      return typeOfStruct(type)
    case 'list':
    case 'map': {
      const of = typeOfValue(items!)
      return of && (kind === 'list' ? { is: 'list', of } : { is: 'map', key: STRING, of })
    }
    case 'bool':
      return BOOL
    case 'int32':
    case 'int64':
      return INT
    case 'float64':
      return DOUBLE
    case 'bytes':
      return BYTES
    case 'time':
    case 'microTime':
      return TIMESTAMP
    case 'string':
    case 'duration':
      return STRING
    case 'quantity':
      return undefined
    default:
      return DYN
  }
}
