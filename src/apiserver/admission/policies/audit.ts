import { type Attributes, annotate } from '../admission.ts'

/** Characters of one value. Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating maxAuditAnnotationValueLength */
const LONGEST = 10 * 1024

/** What the bindings of one policy say for the audit event: a key may come to several values. */
export class AuditValues {
  readonly #values = new Map<string, Set<string>>()

  add(key: string, value: string): void {
    if (!value) return
    const known = this.#values.get(key) ?? new Set()
    this.#values.set(key, known.add(value.slice(0, LONGEST)))
  }

  tell(policy: string, attributes: Attributes): void {
    for (const [key, values] of this.#values) annotate(attributes, `${policy}/${key}`, [...values].join(', '))
  }
}
