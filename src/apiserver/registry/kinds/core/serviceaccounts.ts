import type { core } from '../../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'

/** Of each secret, only the name is kept. */
function keepNames(account: core.ServiceAccount): void {
  const { secrets } = account
  if (secrets) account.secrets = secrets.map(({ name }) => (name ? { name } : {}))
}

/** Source: k8s.io/kubernetes/pkg/registry/core/serviceaccount/strategy.go */
export const serviceAccountStrategy: Strategy<core.ServiceAccount> = {
  prepareCreate: keepNames,
  prepareUpdate: keepNames,
}
