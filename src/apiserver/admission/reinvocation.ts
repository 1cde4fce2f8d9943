import type { Attributes } from './admission.ts'

/**
 * Of the webhooks or policies that change one object: which want to look once more, since it has changed after their turn.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
 */
export class Round {
  readonly #called = new Set<string>()
  #due = new Set<string>()
  #left = ''

  /** The plugins run once more; have others changed the object since? */
  begin(attributes: Attributes): void {
    if (stateOf(attributes) !== this.#left) this.#changed()
  }

  end(attributes: Attributes): void {
    this.#left = stateOf(attributes)
  }

  /** It wants another turn when the object changes. */
  called(id: string): void {
    this.#called.add(id)
  }

  /** The object has changed, so that all plugins are to run once more. */
  changed(attributes: Attributes): void {
    this.#changed()
    attributes.reinvocation ??= 'wanted'
  }

  isDue(id: string): boolean {
    return this.#due.has(id)
  }

  #changed(): void {
    this.#due = new Set([...this.#due, ...this.#called])
    this.#called.clear()
  }
}

const stateOf = ({ object }: Attributes): string => JSON.stringify(object ?? null)
