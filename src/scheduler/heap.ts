/** A priority queue from which any item can be taken out: the least by `compare` comes first. */
export class Heap<T> {
  readonly #compare: (a: T, b: T) => number
  readonly #items: T[] = []
  readonly #places = new Map<T, number>()

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    this.#items.push(item)
    this.#rise(this.#items.length - 1, item)
  }

  pop(): T | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.delete(first)
    return first
  }

  delete(item: T): boolean {
    const place = this.#places.get(item)
    if (place === undefined) return false
    this.#places.delete(item)
    const last = this.#items.pop()!
    if (last === item) return true
    this.#sink(place, last)
    this.#rise(this.#places.get(last)!, last)
    return true
  }

  #rise(place: number, item: T): void {
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#items[parent]!
      if (this.#compare(above, item) <= 0) break
      this.#put(place, above)
      place = parent
    }
    this.#put(place, item)
  }

  #sink(place: number, item: T): void {
    for (;;) {
      let child = place * 2 + 1
      if (child >= this.#items.length) break
      if (child + 1 < this.#items.length && this.#compare(this.#items[child + 1]!, this.#items[child]!) < 0) child++
      const below = this.#items[child]!
      if (this.#compare(item, below) <= 0) break
      this.#put(place, below)
      place = child
    }
    this.#put(place, item)
  }

  #put(place: number, item: T): void {
    this.#items[place] = item
    this.#places.set(item, place)
  }
}
