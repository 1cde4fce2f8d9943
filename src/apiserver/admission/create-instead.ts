import { type Authorizer, question, refusal } from '../authz/authorizer.ts'
import type { AdmissionPlugin } from './admission.ts'

/**
 * Who may update or patch may not therefore create what is not there. No plugin upstream, but part of these verbs: so it
 * cannot be turned off. Source: k8s.io/apiserver/pkg/endpoints/handlers/update.go withAuthorization
 */
export const createInstead = (authorizer: Authorizer): AdmissionPlugin => ({
  name: '',
  async validate({ operation, options, user, requested, subresource, namespace, name }) {
    if (operation !== 'CREATE' || !options.instead) return
    const { group, version, resource } = requested
    const asked = question({ user, verb: 'create', group, version, resource, subresource, namespace, name })
    const { allowed, reason } = await authorizer.authorize(asked)
    if (!allowed) throw refusal(asked, reason)
  },
})
