import { type admissionregistration, errors, type Resource, resources } from '../../../api/index.ts'
import { type Authorizer, MASTERS, question } from '../../authz/authorizer.ts'
import type { User } from '../../pipeline/context.ts'
import type { Registry } from '../../registry/registry.ts'
import { forbidden, same } from '../../registry/validation/field.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy | admissionregistration.MutatingAdmissionPolicy
type Binding =
  | admissionregistration.ValidatingAdmissionPolicyBinding
  | admissionregistration.MutatingAdmissionPolicyBinding

const GROUP = 'admissionregistration.k8s.io'
const POLICIES = ['validatingadmissionpolicies', 'mutatingadmissionpolicies']
const BINDINGS = ['validatingadmissionpolicybindings', 'mutatingadmissionpolicybindings']

/**
 * A policy reads its parameters for everybody, so that whoever writes it has to be allowed to read them. No plugin upstream,
 * but part of how these kinds are kept: so it cannot be turned off.
 * Source: k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicy/authz.go
 */
export function policyAccess(registry: Registry, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'PolicyAccess',
    validate(attributes) {
      const { resource, subresource, operation, user } = attributes
      if (resource.group !== GROUP || subresource || (operation !== 'CREATE' && operation !== 'UPDATE')) return
      if (user.groups.includes(MASTERS)) return
      if (POLICIES.includes(resource.resource)) return judgePolicy(attributes)
      if (BINDINGS.includes(resource.resource)) return judgeBinding(attributes)
    },
  }

  async function judgePolicy(attributes: Attributes): Promise<void> {
    const { user, object, old } = attributes
    const { paramKind } = (object as Policy).spec
    if (!paramKind || (old && same(paramKind, (old as Policy).spec.paramKind))) return
    const { known: _, ...about } = described(paramKind)
    const asked = question({ user, verb: 'get', ...about, namespace: '*', name: '*' })
    if ((await authorizer.authorize(asked)).allowed) return
    const { kind = '', apiVersion = '' } = paramKind
    refuse(
      attributes,
      'spec.paramKind',
      `user ${shown(user)} must have "get" permission on all objects of the referenced paramKind (kind=${kind}, apiVersion=${apiVersion})`,
    )
  }

  async function judgeBinding(attributes: Attributes): Promise<void> {
    const { user, object, old } = attributes
    const { paramRef, policyName = '' } = (object as Binding).spec
    if (!paramRef) return
    const before = (old as Binding | undefined)?.spec
    if (before && before.policyName === policyName && same(before.paramRef, paramRef)) return
    const kinds = attributes.resource.resource.startsWith('validating')
      ? resources.validatingAdmissionPolicies
      : resources.mutatingAdmissionPolicies
    const policy = (await registry.reader.read(kinds as Resource, '', policyName)) as unknown as Policy | undefined
    const { known, ...about } = described(policy?.spec.paramKind)
    const verb = paramRef.name ? 'get' : 'list'
    const asked = question({ user, verb, ...about, namespace: paramRef.namespace ?? '', name: paramRef.name ?? '' })
    if ((await authorizer.authorize(asked)).allowed) return
    const needs = `to determine minimum required permissions and user ${shown(user)} does not have "${verb}" permission for all groups, versions and resources`
    if (!policy) refuse(attributes, 'spec.paramRef', `unable to get policy ${policyName} ${needs}`)
    if (policy?.spec.paramKind && !known) {
      const { apiVersion, kind } = policy.spec.paramKind
      refuse(attributes, 'spec.paramRef', `unable to resolve paramKind &{${apiVersion} ${kind}} ${needs}`)
    }
    // Upstream has the two the wrong way round for bindings of policies that change objects.
    const [who, what] = kinds === resources.validatingAdmissionPolicies ? [shown(user), verb] : [verb, shown(user)]
    refuse(
      attributes,
      'spec.paramRef',
      `user ${who} does not have "${what}" permission on the object referenced by paramRef`,
    )
  }

  /** What has to be read; all there is, as far as it is not known. */
  function described(kind: admissionregistration.ParamKind | undefined) {
    if (!kind?.apiVersion) return { group: '*', version: '*', resource: '*', known: false }
    const [version = '', group = ''] = kind.apiVersion.split('/').reverse()
    const of = (each: Resource) => each.group === group && each.version === version && each.kind === kind.kind
    const found = registry.resources.all().find(of)
    return { group, version, resource: found?.resource ?? '*', known: found !== undefined }
  }
}

function refuse({ resource, name }: Attributes, field: string, detail: string): never {
  throw errors.invalid(resource, name, [forbidden(field, detail)])
}

/** As Go prints it. */
function shown({ name, uid = '', groups, extra = {} }: User): string {
  const more = Object.keys(extra).sort()
  return `&{${name} ${uid} [${groups.join(' ')}] map[${more.map(key => `${key}:[${extra[key]!.join(' ')}]`).join(' ')}]}`
}
