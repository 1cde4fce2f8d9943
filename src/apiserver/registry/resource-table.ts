import { allResources, findResource, type Resource } from '../../api/index.ts'
import type { Served } from './served.ts'

/** What this server serves at present: the built-in resources, and those that definitions add. */
export class ResourceTable {
  readonly #added = new Map<string, Served[]>()
  readonly #byPath = new Map<string, Served>()
  readonly #byResource = new WeakMap<Resource, Served>()
  readonly #listeners: (() => void)[] = []
  readonly #builtIn: Resource[]
  #all: Resource[]

  /** `serves`: whether a built-in resource is served at all. Source: --runtime-config */
  constructor(serves?: (resource: Resource) => boolean) {
    this.#builtIn = serves ? allResources.filter(serves) : allResources
    this.#all = this.#builtIn
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    const builtIn = findResource(group, version, plural)
    if (!builtIn) return this.#byPath.get(`${group}/${version}/${plural}`)?.resource
    return this.#builtIn === allResources || this.#builtIn.includes(builtIn) ? builtIn : undefined
  }

  /** Whether anything of a built-in group is served. */
  readonly hasGroup = (name: string): boolean => this.#builtIn.some(({ group }) => group === name)

  /** A new array when it has changed, and the same one as long as it has not. */
  all(): Resource[] {
    return this.#all
  }

  /** `run` is called after every change; it must not throw. */
  changed(run: () => void): void {
    this.#listeners.push(run)
  }

  /** How an added resource is served; requests that have begun go on with it when it is there no more. */
  served(resource: Resource): Served | undefined {
    return this.#byResource.get(resource)
  }

  /** What a definition adds, in place of what it added before; nothing takes it away. */
  define(definition: string, served: Served[]): void {
    for (const former of this.#added.get(definition) ?? []) this.#byPath.delete(pathOf(former))
    this.#added.set(definition, served)
    if (served.length === 0) this.#added.delete(definition)
    for (const each of served) {
      this.#byPath.set(pathOf(each), each)
      this.#byResource.set(each.resource, each)
    }
    this.#all = [...this.#builtIn, ...[...this.#byPath.values()].map(({ resource }) => resource)]
    for (const run of this.#listeners) run()
  }
}

const pathOf = ({ resource: { group, version, resource } }: Served) => `${group}/${version}/${resource}`
