import { type FieldError, names } from '../../../api/index.ts'
import { at, forbidden, invalid, oneOf, required } from '../../registry/validation/field.ts'
import { caBundleProblems, webhookServiceProblems, webhookUrlProblems } from '../../registry/validation/webhook.ts'
import type { Definition } from '../conversion.ts'

type Conversion = Definition['spec']['conversion']

const PATH = 'spec.conversion'
const CONFIG = `${PATH}.webhookClientConfig`
const REVIEW_VERSIONS = ['v1', 'v1beta1']

/** `established`: the definition is served, with the conversion that it has had so far. */
export function conversionProblems(conversion: Conversion, established?: { old: Conversion }): FieldError[] {
  if (!conversion) return []
  const { strategy, webhook } = conversion
  const problems = oneOf(`${PATH}.strategy`, strategy, ['None', 'Webhook'])
  const versions = webhook?.conversionReviewVersions ?? []
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook'
    if (webhook?.clientConfig) problems.push(forbidden(CONFIG, detail))
    if (versions.length) problems.push(forbidden(`${PATH}.conversionReviewVersions`, detail))
    return problems
  }
  const config = webhook?.clientConfig
  if (!config) problems.push(required(CONFIG, 'required when strategy is set to Webhook'))
  else {
    problems.push(...addressProblems(config))
    const { caBundle } = config
    if (caBundle && established && !isBroken(established.old))
      problems.push(...caBundleProblems(`${CONFIG}.caBundle`, caBundle))
  }
  return [...problems, ...reviewVersionProblems(versions)]
}

type Config = NonNullable<NonNullable<NonNullable<Conversion>['webhook']>['clientConfig']>

function addressProblems({ url, service }: Config): FieldError[] {
  if ((url === undefined) === (service === undefined))
    return [required(CONFIG, 'exactly one of url or service is required')]
  if (url !== undefined) return webhookUrlProblems(`${CONFIG}.url`, url)
  const { name, namespace, ...rest } = service!
  // Upstream mixes the two up, and so complains about the one when the other is missing.
  return webhookServiceProblems(`${CONFIG}.service`, { ...rest, name: namespace, namespace: name })
}

/** What was wrong before may stay. */
function isBroken(old: Conversion): boolean {
  const bundle = old?.webhook?.clientConfig?.caBundle
  return bundle !== undefined && caBundleProblems('', bundle).length > 0
}

function reviewVersionProblems(versions: string[]): FieldError[] {
  const field = `${PATH}.conversionReviewVersions`
  if (versions.length === 0) return [required(field)]
  const problems: FieldError[] = []
  for (const [index, version] of versions.entries()) {
    if (versions.indexOf(version) < index) problems.push(invalid(at(field, index), version, 'duplicate version'))
    else
      for (const detail of names.dns1035LabelProblems(version))
        problems.push(invalid(at(field, index), version, detail))
  }
  if (!versions.some(version => REVIEW_VERSIONS.includes(version)))
    problems.push(invalid(field, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  return problems
}
